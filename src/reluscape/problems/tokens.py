"""The words of an expression in x."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from reluscape.errors import InputError

MAX_LENGTH = 10_000
# Digits of a number, and its power of ten: beyond both there are no doubles.
_MAX_DIGITS = 400
_MAX_EXPONENT = 400
_SHOWN = 30

_WORDS = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*|π)"
    r"|(?P<operator>\*\*|<=|>=|[-+*/^()|,<>])"
    r"|(?P<space>\s+)"
)
# What people paste for what they mean, each as long as what it stands for.
_PASTED = str.maketrans({"−": "-", "–": "-", "·": "*", "×": "*", "⋅": "*"})
_COMPARED = {"≤": "<=", "≥": ">="}


@dataclass(frozen=True)
class Token:
    """A word of an expression.

    Attributes
    ----------
    kind : {"number", "name", "operator", "end"}
    text : str
    start : int
        Where it begins, from 0.
    """

    kind: str
    text: str
    start: int


def tokens_of(text: str) -> list[Token]:
    """Cut an expression into words; the last token is its end.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Token

    Raises
    ------
    InputError
        If the text is empty or too long, or has a character that no expression has.

    Examples
    --------
    >>> [token.text for token in tokens_of("2x**3")]
    ['2', 'x', '**', '3', '']
    """
    if len(text) > MAX_LENGTH:
        raise InputError(
            f"the expression has {len(text):,} characters; at most {MAX_LENGTH:,} are allowed."
        )
    if not text.strip():
        raise InputError("the expression is empty; give a function of x, like abs(x - 1/2).")
    tokens: list[Token] = []
    plain = text.translate(_PASTED)
    place = 0
    while place < len(plain):
        if plain[place] in _COMPARED:
            tokens.append(Token("operator", _COMPARED[plain[place]], place))
            place += 1
            continue
        match = _WORDS.match(plain, place)
        if match is None:
            raise wrong(text, place, f"{text[place]!r} has no meaning here; {ALLOWED}.")
        if match.lastgroup and match.lastgroup != "space":
            tokens.append(Token(match.lastgroup, match.group(), place))
        place = match.end()
    return [*tokens, Token("end", "", len(text))]


ALLOWED = (
    "write numbers, x, + - * / ^, parentheses, abs, max, min, relu, step, sign, piecewise, pi or e"
)


def number_of(token: Token, text: str) -> Fraction:
    """Return the exact value of a number.

    Raises
    ------
    InputError
        If it has too many digits or too large an exponent.
    """
    digits, _, exponent = token.text.lower().partition("e")
    if len(digits) > _MAX_DIGITS or len(exponent) > 6 or abs(int(exponent or 0)) > _MAX_EXPONENT:
        raise wrong(
            text,
            token.start,
            f"this number is too long; at most {_MAX_DIGITS} digits and exponents up to "
            f"{_MAX_EXPONENT} are allowed.",
        )
    return Fraction(token.text)


def wrong(text: str, start: int, message: str) -> InputError:
    """Return the error that says what is wrong where."""
    left, right = max(0, start - _SHOWN), start + _SHOWN
    shown = f"{'…' * (left > 0)}{text[left:right]}{'…' * (right < len(text))}"
    # Control characters would break the line.
    shown = "".join(c if c.isprintable() else " " for c in shown)
    return InputError(f'in "{shown}", column {start + 1}: {message}')
