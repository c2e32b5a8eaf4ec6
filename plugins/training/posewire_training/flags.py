"""A settings dataclass as command-line flags, so that everything that can be set can be typed, and nothing is said twice."""

from __future__ import annotations

import argparse
import types
from dataclasses import MISSING, fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from posewire_training import device
from posewire_training.settings import TrainSettings

S = TypeVar("S", bound=TrainSettings)


def add_flags(parser: argparse.ArgumentParser, kind: type[TrainSettings]) -> None:
    """One flag for each field of the settings: --learning-rate, --bf16 / --no-bf16, ..."""
    hints = get_type_hints(kind)
    group = parser.add_argument_group("settings")
    for field in fields(kind):
        flag, hint = "--" + field.name.replace("_", "-"), hints[field.name]
        default = "required" if field.default is MISSING else field.default
        told: dict[str, Any] = {"default": argparse.SUPPRESS, "help": f"default: {default}"}
        if hint is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, **told)
        elif get_origin(hint) is Literal:
            group.add_argument(flag, choices=get_args(hint), **told)
        elif not isinstance(hint, types.GenericAlias):
            group.add_argument(flag, type=hint, metavar=hint.__name__.upper(), **told)


def settings_of(flags: argparse.Namespace, kind: type[S]) -> S:
    """The settings that were typed; the rest stays at its default.

    Raises:
        SettingsError: a value cannot be.
        DeviceError: the device is not there; nothing has been read or computed yet.
    """
    known = {field.name for field in fields(kind)}
    settings = kind(**{name: value for name, value in vars(flags).items() if name in known})
    device.check(settings.device)
    return settings
