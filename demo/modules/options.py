"""Settings: what they are (OptionInfo), their values, and the file they are kept in."""

from __future__ import annotations

import json
from pathlib import Path

from modules import errors


class OptionInfo:
    """One setting: default, label, and how the Settings page shows it."""

    do_not_show = False

    def __init__(
        self,
        default=None,
        label="",
        component=None,
        component_args=None,
        onchange=None,
        section=None,
        refresh=None,
        comment_before="",
        comment_after="",
        infotext=None,
        restrict_api=False,
        category_id=None,
    ):
        self.default = default
        self.label = label
        self.component = component
        self.component_args = component_args
        self.onchange = onchange
        self.section = section
        self.refresh = refresh
        self.comment_before = comment_before
        self.comment_after = comment_after
        self.infotext = infotext
        self.restrict_api = restrict_api
        self.category_id = category_id
        self.do_not_save = False

    def link(self, label, url):
        self.comment_before += f"[<a href='{url}' target='_blank'>{label}</a>]"
        return self

    def js(self, label, js_func):
        self.comment_before += f"[<a onclick='{js_func}(); return false'>{label}</a>]"
        return self

    def info(self, info):
        self.comment_after += f"<span class='info'>({info})</span>"
        return self

    def html(self, html):
        self.comment_after += html
        return self

    def needs_restart(self):
        self.comment_after += " <span class='info'>(requires restart)</span>"
        return self

    def needs_reload_ui(self):
        self.comment_after += " <span class='info'>(requires Reload UI)</span>"
        return self


class OptionHTML(OptionInfo):
    """Explaining text between settings."""

    def __init__(self, text):
        def component(**kwargs):
            import gradio as gr

            return gr.HTML(elem_classes="settings-info", **kwargs)

        super().__init__(str(text).strip(), label="", component=component)
        self.do_not_save = True


class OptionDiv(OptionInfo):
    """A line between settings."""

    def __init__(self):
        super().__init__(None, label="")
        self.do_not_save = True


def options_section(section_identifier, options_dict):
    """Give every option of a table its section: (id, title) or (id, title, category)."""
    for info in options_dict.values():
        if len(section_identifier) == 2:
            info.section = section_identifier
        elif len(section_identifier) == 3:
            info.section = section_identifier[:2]
            info.category_id = section_identifier[2]
    return options_dict


_OWN_FIELDS = frozenset({"data", "data_labels", "restricted_opts"})


class Options:
    """Values by name; an unset one answers with its default, an unknown one with AttributeError."""

    def __init__(self, data_labels: dict[str, OptionInfo], restricted_opts=frozenset()):
        self.data_labels = data_labels
        self.restricted_opts = restricted_opts
        self.data = {key: info.default for key, info in data_labels.items() if not info.do_not_save}

    def __setattr__(self, key, value):
        if key in _OWN_FIELDS:
            super().__setattr__(key, value)
            return
        info = self.data_labels.get(key)
        if info is not None and info.do_not_save:
            return
        self.data[key] = value

    def __getattr__(self, item):
        if item in _OWN_FIELDS:
            raise AttributeError(item)
        if item in self.data:
            return self.data[item]
        if item in self.data_labels:
            return self.data_labels[item].default
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{item}'")

    def set(self, key, value, is_api=False, run_callbacks=True) -> bool:
        """Set a value; call its onchange. Return whether anything changed."""
        old = self.data.get(key)
        if old == value and key in self.data:
            return False
        info = self.data_labels.get(key)
        if info is None or info.do_not_save or (is_api and info.restrict_api):
            return False
        setattr(self, key, value)
        if run_callbacks and info.onchange is not None:
            try:
                info.onchange()
            except Exception as error:
                errors.display(error, f"changing setting {key} to {value}")
                setattr(self, key, old)
                return False
        return True

    def get_default(self, key):
        info = self.data_labels.get(key)
        return None if info is None else info.default

    def add_option(self, key, info) -> None:
        """Register a setting, in on_ui_settings."""
        self.data_labels[key] = info
        if key not in self.data and not info.do_not_save:
            self.data[key] = info.default

    def onchange(self, key, func, call=True) -> None:
        self.data_labels[key].onchange = func
        if call:
            func()

    def save(self, filename) -> None:
        """Write all values as JSON."""
        path = Path(filename)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.data, indent=4, ensure_ascii=False), encoding="utf8")

    def load(self, filename) -> None:
        """Read the file if there is one; an unreadable one is reported and left alone."""
        path = Path(filename)
        if not path.is_file():
            return
        try:
            loaded = json.loads(path.read_text(encoding="utf8"))
        except (OSError, ValueError):
            errors.report(f"Could not read the settings in {path}; the defaults are used", exc_info=True)
            return
        self.data.update(loaded)

    def dumpjson(self) -> str:
        """All values, for the page's `opts`."""
        return json.dumps(
            {
                key: self.data.get(key, info.default)
                for key, info in self.data_labels.items()
                if not info.do_not_save
            }
        )
