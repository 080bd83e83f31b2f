"""The name older hosts had for infotext_utils."""

from modules.infotext_utils import (
    ParamBinding,
    PasteField,
    add_paste_fields,
    connect_paste,
    parse_generation_parameters,
    paste_fields,
    quote,
    register_paste_params_button,
    unquote,
)

__all__ = [
    "ParamBinding",
    "PasteField",
    "add_paste_fields",
    "connect_paste",
    "parse_generation_parameters",
    "paste_fields",
    "quote",
    "register_paste_params_button",
    "unquote",
]
