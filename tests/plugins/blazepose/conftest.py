"""The bundled clip's frames and the open method, shared by the BlazePose tests."""

import pytest

from posewire.bench.clip import bundled_frames
from posewire.methods import MethodOptions
from posewire_blazepose.estimator import open_blazepose


@pytest.fixture(scope="session")
def clip():
    return bundled_frames(100)


@pytest.fixture(scope="session")
def blazepose():
    estimator = open_blazepose("blazepose_full", MethodOptions(max_people=1))
    yield estimator
    estimator.close()


@pytest.fixture(scope="session")
def blazepose_many():
    estimator = open_blazepose("blazepose_full", MethodOptions(max_people=4))
    yield estimator
    estimator.close()
