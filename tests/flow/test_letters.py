"""Every letter that intake writes is one that notifier knows, with the arguments that it takes."""

import ast
from pathlib import Path

from services import intake
from services.notifier.letters import FORMS, LINKS

SENDS = {"send", "write"}


def written() -> dict[str, set[str]]:
    """Template -> the names of the arguments that intake writes it with, as its source has them."""
    found: dict[str, set[str]] = {}
    for path in sorted(Path(str(intake.__file__)).parent.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.AsyncFunctionDef):
                for template in _templates(function):
                    found.setdefault(template, set()).update(_arguments(function))
    return found


def _templates(function: ast.AsyncFunctionDef) -> list[str]:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    sends = [
        call
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in SENDS and call.args
    ]
    firsts = [call.args[0] for call in sends if len(call.args) >= 3]
    return [one.value for one in firsts if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _arguments(function: ast.AsyncFunctionDef) -> set[str]:
    """The keys of the dictionary that the function calls `arguments`."""
    return {
        str(key.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "arguments"
        for key in (node.value.keys if isinstance(node.value, ast.Dict) else ())
        if isinstance(key, ast.Constant)
    }


def test_intake_writes_letters_with_the_arguments_that_notifier_takes() -> None:
    takes = {name: {*form.urls, *form.dates, *form.texts} for name, form in FORMS.items()}
    del takes["sign_in"]  # notifier's own
    assert written() == takes
    assert LINKS not in FORMS
