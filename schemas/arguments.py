"""What public functions are given, held against their own annotations before anything is done with it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, wraps
from inspect import Parameter, isfunction, signature
from numbers import Integral, Real
from pathlib import PurePath
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Final, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from .errors import MisreadError

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

_NUMBERS: Final[dict[Any, type]] = {int: Integral, float: Real}
_WORDS: Final[dict[Any, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "None",
    os.PathLike: "a path",
    Mapping: "a dict",
    Callable: "a function",
}
_LONGEST: Final = 60
_NO_TEXT: Final = (
    "leave out the character NUL and what is no UTF-8: bytes of another encoding, and halves of characters (surrogates)"
)


def checked(function: Callable[P, R], name: str = "") -> Callable[P, R]:
    """The function, which raises MisreadError for an argument of another type than it is annotated with, and for text
    that no file and table can hold; `name`: what it is called in errors.

    Numbers of numpy stand for Python's. What is given by place to `*several` the function looks at itself, and so it
    does where an annotation names what is imported for type checkers alone.
    """
    named = [one.name for one in signature(function).parameters.values() if one.kind is Parameter.POSITIONAL_OR_KEYWORD]

    @cache
    def kinds() -> dict[str, Any]:  # when it is first called: by then the classes of its module are there
        return {name: _resolved(function, kind) for name, kind in function.__annotations__.items()}

    def taken(parameter: str, value: Any) -> Any:
        plain = value.item() if isinstance(value, np.generic) else value
        kind = kinds().get(parameter, Any)
        told = f"{name or function.__name__}: {parameter} is {_shown(plain)}"
        if not _fits(plain, kind):
            raise MisreadError(told, f"give {_words(kind)}")
        if isinstance(plain, str | os.PathLike) and not _is_text(os.fspath(plain), is_path=_fits(PurePath(), kind)):
            raise MisreadError(told, _NO_TEXT)
        return plain

    @wraps(function)
    def called(*args: Any, **given: Any) -> R:
        first = map(taken, named, args)
        return function(*first, *args[len(named) :], **{key: taken(key, value) for key, value in given.items()})

    return called


def checked_methods(kind: C) -> C:
    """The class, whose methods are `checked`, but for private ones."""
    for name, method in list(vars(kind).items()):
        if isfunction(method) and (name == "__init__" or not name.startswith("_")):
            setattr(kind, name, checked(method, kind.__name__ if name == "__init__" else name))
    return kind


def _resolved(function: Callable[..., Any], kind: Any) -> Any:
    try:
        return get_type_hints(SimpleNamespace(__annotations__={"": kind}), function.__globals__)[""]
    except NameError:
        return Any


def _fits(value: Any, kind: Any) -> bool:
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Sequence:
        several = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | Iterator)
        return several and all(_fits(one, parts[0]) for one in value)
    if origin is Mapping:
        pairs = value.items() if isinstance(value, Mapping) else [(None, None)]
        return all(_fits(name, parts[0]) and _fits(one, parts[1]) for name, one in pairs)
    if origin is Callable or getattr(kind, "_is_protocol", False):
        return callable(value)
    if origin is Any or not isinstance(origin, type):
        return origin is not Literal or isinstance(value, str)  # which texts there are the function says
    return isinstance(value, _NUMBERS.get(origin, origin)) and not (isinstance(value, bool) and origin in _NUMBERS)


def _words(kind: Any) -> str:
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        words = list(dict.fromkeys(map(_words, parts)))
        return f"{', '.join(words[:-1])} or {words[-1]}"
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin is Sequence:
        return f"a list of {_words(parts[0])}" if parts[0] in _WORDS else "a list"
    if getattr(kind, "_is_protocol", False):
        return _WORDS[Callable]
    home = origin.__module__.partition(".")[0]
    return _WORDS.get(origin) or f"a {'' if home == 'misread' else home + '.'}{origin.__name__}"


def _shown(value: object) -> str:
    plain = value is None or isinstance(value, str | int | float | list | tuple)
    return repr(value) if plain and len(repr(value)) <= _LONGEST else f"of type {type(value).__name__}"


def _is_text(value: str | bytes, *, is_path: bool) -> bool:
    """Whether a file can hold it, or be named so: in paths Python keeps bytes of other encodings as surrogates."""
    try:
        return b"\0" not in (os.fsencode(value) if is_path or isinstance(value, bytes) else value.encode())
    except UnicodeEncodeError:
        return False
