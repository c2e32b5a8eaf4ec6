"""Track -> SkeletonPose: kinematics, one file per residual, structured solver, bone lengths, cold start."""

from posewire.fit.fitter import Fitter, warm_up
from posewire.fit.settings import FitSettings

__all__ = ["FitSettings", "Fitter", "warm_up"]
