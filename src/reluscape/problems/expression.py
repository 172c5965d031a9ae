"""Functions of x as people write them: `abs(x - 1/2) + 3x^2`.

A recursive-descent parser over words of its own; no text is ever run as code. All arithmetic is
exact until the end, when coefficients and borders are rounded to doubles once. How long a text may
be, how deep it may nest, and how much work it may ask for is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from reluscape.errors import InputError
from reluscape.problems import exact_pieces as exact
from reluscape.problems.exact_pieces import Pieces
from reluscape.problems.targets import PiecewisePolynomial
from reluscape.problems.tokens import ALLOWED, Token, number_of, tokens_of, wrong

MAX_DEPTH = 50
# Work that a text may ask for, in operations on short fractions: a few seconds of it.
MAX_WORK = 1_000_000
# What a piece takes that is not arithmetic, in the same unit.
_PER_PIECE = 4
# Bits of fractions that count as short.
_SHORT = 256

_CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e}
_FUNCTIONS = ("abs", "max", "min", "relu", "step", "sign", "piecewise")
_COMPARISONS = ("<", "<=", ">", ">=")


def expression(text: str) -> PiecewisePolynomial:
    """Turn a text into a piecewise polynomial on the whole line.

    Parameters
    ----------
    text : str
        Of numbers, ``x``, ``pi`` and ``e``, with ``+ - * / ^`` (or ``**``) and parentheses;
        division is by constants and powers are whole. ``2x`` and ``3(x - 1)`` are products, so
        that ``1/2x`` is half of x. Functions: ``abs(f)`` or ``|f|``, ``max(f, g, ...)``,
        ``min(f, g, ...)``, ``relu(f)`` = max(f, 0), ``step(f)`` (1 where f >= 0, else 0),
        ``sign(f)``, and ``piecewise(f, x < 1/2, g, x <= 1, ..., otherwise)``, in which the first
        condition that holds counts. Conditions may compare any two expressions, also in chains:
        ``0 <= x < 1``.

    Returns
    -------
    PiecewisePolynomial
        At a border the piece to its right counts, whatever the condition said: single points
        change no risk. Rational borders are exact before they are rounded to doubles; irrational
        ones are good to the last bit or nearly so.

    Raises
    ------
    InputError
        If the text is no such expression, too long (10,000 characters) or nested too deep (50),
        or makes polynomials of too high a degree (60) or too many pieces (500). The message says
        what is wrong, in which column, and what is allowed.

    Examples
    --------
    >>> expression("|x - 1/2|")
    PiecewisePolynomial(breaks=(-inf, 0.5, inf), coefficients=((0.5, -1.0), (-0.5, 1.0)))
    >>> expression("piecewise(0, x < 0, x^2, x <= 1, 1)").breaks
    (-inf, 0.0, 1.0, inf)
    >>> expression("max(x^2, 2)").breaks[1:-1]
    (-1.4142135623730951, 1.4142135623730951)
    >>> expression("x + y")
    Traceback (most recent call last):
        ...
    reluscape.errors.InputError: in "x + y", column 5: there is no y; write numbers, x, + - * / ^,
    parentheses, abs, max, min, relu, step, sign, piecewise, pi or e.
    """
    return exact.rounded(_Parser(text).whole())


class _Parser:
    """Reads one text from left to right; a method for each level of binding."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.next = 0
        self.depth = 0
        self.work = 0.0
        # Bars that are open between here and the innermost parenthesis.
        self.bars = 0

    def whole(self) -> Pieces:
        """Read everything."""
        result = self.sum()
        if self.token.kind != "end":
            raise self.unexpected()
        return result

    def sum(self) -> Pieces:
        """Read terms, added or subtracted."""
        terms, first = [self.product()], self.token
        while token := self.take("+", "-"):
            term = self.product()
            terms.append(term if token.text == "+" else self.negated(token, term))
        return self.folded(terms, lambda f, g: self.do(first, exact.add, f, g))

    def folded(self, given: list[Pieces], pair: Callable[[Pieces, Pieces], Pieces]) -> Pieces:
        """Return pairs, pairs of pairs, ..: one by one, all pieces would be seen each time."""
        while len(given) > 1:
            odd = given[-1:] if len(given) % 2 else []
            pairs = zip(given[::2], given[1::2], strict=False)
            given = [pair(f, g) for f, g in pairs] + odd
        return given[0]

    def product(self) -> Pieces:
        """Read factors, multiplied or divided, with or without a sign for it."""
        result = self.signed()
        while True:
            token = self.token
            if self.take("*"):
                result = self.do(token, exact.multiply, result, self.signed())
            elif self.take("/"):
                result = self.divided(token, result, self.signed())
            elif token.kind == "name" or token.text == "(" or (token.text == "|" and not self.bars):
                result = self.do(token, exact.multiply, result, self.power())
            else:
                return result

    def divided(self, token: Token, f: Pieces, g: Pieces) -> Pieces:
        """Return f / g for a constant g."""
        if g.value is None:
            raise self.wrong(
                token, "this divides by something that depends on x; divide by constants only."
            )
        if g.value == 0:
            raise self.wrong(token, "this divides by zero; divide by another constant.")
        return self.do(token, exact.scale, f, 1 / g.value)

    def signed(self) -> Pieces:
        """Read signs and what follows them; -x^2 is -(x^2)."""
        negative, last = False, self.token
        while token := self.take("+", "-"):
            negative, last = negative != (token.text == "-"), token
        result = self.power()
        return self.negated(last, result) if negative else result

    def negated(self, token: Token, f: Pieces) -> Pieces:
        return self.do(token, exact.scale, f, -1)

    def power(self) -> Pieces:
        """Read a value and its power; 2^3^2 is 2^(3^2)."""
        base = self.value()
        token = self.take("^", "**")
        if token is None:
            return base
        exponent = self.nested(token, self.signed).value
        if exponent is None or exponent < 0 or exponent.denominator != 1:
            raise self.wrong(token, "this power is not a whole number; use 0, 1, 2, ...")
        # Powers of constants can be long without a degree.
        size = max(base.degree, base.bits / _SHORT) * exponent
        if exponent > exact.MAX_BITS or size > exact.MAX_DEGREE:
            raise self.wrong(
                token, f"this power is too high; degrees up to {exact.MAX_DEGREE} are allowed."
            )
        return self.do(token, exact.power, base, int(exponent))

    def value(self) -> Pieces:
        """Read a number, a name, or something in parentheses or bars."""
        token = self.token
        if token.kind in ("number", "name"):
            self.next += 1
            if token.kind == "number":
                result = exact.constant(number_of(token, self.text))
            else:
                result = self.named(token)
            if self.token.kind == "number":
                raise self.wrong(self.token, "a number follows here; put an operator before it.")
            return result
        if self.take("("):
            result = self.nested(token, self.sum)
            self.expect(")", token)
            if self.token.kind == "number":
                raise self.wrong(self.token, "a number follows here; put an operator before it.")
            return result
        if self.take("|"):
            result = self.nested(token, self.sum, bars=self.bars + 1)
            self.expect("|", token)
            return self.magnitude(token, result)
        raise self.unexpected()

    def named(self, token: Token) -> Pieces:
        """Return what a name stands for, which may be a function with its arguments."""
        name = token.text
        if name == "x":
            return exact.IDENTITY
        if name in _CONSTANTS:
            return exact.constant(Fraction(_CONSTANTS[name]))
        if name not in _FUNCTIONS:
            raise self.wrong(token, f"there is no {name[:20]}; {ALLOWED}.")
        opening = self.take("(")
        if opening is None:
            raise self.wrong(token, f"{name} needs parentheses, as in {name}(x).")
        if name == "piecewise":
            result = self.nested(opening, lambda: self.cases(token))
        else:
            result = self.nested(opening, lambda: self.applied(token))
        self.expect(")", opening)
        return result

    def applied(self, token: Token) -> Pieces:
        """Read the arguments of a function and return its value."""
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        if token.text in ("max", "min"):
            return self.folded(arguments, lambda f, g: self.larger(token, f, g))
        first = arguments[0]
        if len(arguments) > 1:
            raise self.wrong(token, f"{token.text} takes one argument, not {len(arguments)}.")
        if token.text == "abs":
            return self.magnitude(token, first)
        zero, one = exact.constant(0), exact.constant(1)
        if token.text == "relu":
            return self.where(token, first, first, zero)
        if token.text == "step":
            return self.where(token, first, one, zero)
        return self.do(token, exact.signs, first)

    def larger(self, token: Token, f: Pieces, g: Pieces) -> Pieces:
        """Return the larger of two functions everywhere, or the smaller for `min`."""
        order = (f, g) if token.text == "max" else (g, f)
        return self.where(token, self.difference(token, *order), f, g)

    def magnitude(self, token: Token, f: Pieces) -> Pieces:
        return self.do(token, exact.multiply, f, self.do(token, exact.signs, f))

    def difference(self, token: Token, f: Pieces, g: Pieces) -> Pieces:
        return self.do(token, exact.add, f, self.negated(token, g))

    def where(self, token: Token, condition: Pieces, yes: Pieces, no: Pieces) -> Pieces:
        """Return `yes` where the condition is >= 0, else `no`."""
        return self.do(token, exact.select, self.do(token, exact.signs, condition), yes, no)

    def cases(self, token: Token) -> Pieces:
        """Read values and conditions in turn, and the value where no condition holds."""
        values = [self.sum()]
        conditions: list[Pieces] = []
        while self.take(","):
            conditions.append(self.condition())
            comma = self.take(",")
            if comma is None:
                raise self.wrong(
                    self.token,
                    "piecewise ends with the value where no condition holds: "
                    "piecewise(value, condition, ..., otherwise).",
                )
            values.append(self.sum())
        result = values.pop()
        for condition, value in zip(reversed(conditions), reversed(values), strict=True):
            result = self.do(token, exact.select, condition, value, result)
        return result

    def condition(self) -> Pieces:
        """Read comparisons; the result is 1 where all of them hold, else -1."""
        left = self.sum()
        token = self.take(*_COMPARISONS)
        if token is None:
            raise self.wrong(
                self.token, "a condition is needed here; compare with <, <=, > or >=: x < 1/2."
            )
        holds = exact.constant(1)
        while token is not None:
            right = self.sum()
            order = (right, left) if "<" in token.text else (left, right)
            sign = self.do(token, exact.signs, self.difference(token, *order))
            if "=" not in token.text:
                # Strict: where both sides are the same on a whole piece, it does not hold.
                sign = self.difference(token, sign, exact.constant(Fraction(1, 2)))
            never = exact.constant(-1)
            holds = self.do(token, exact.select, sign, holds, never)
            left = right
            token = self.take(*_COMPARISONS)
        return holds

    @property
    def token(self) -> Token:
        """The word that is read next."""
        return self.tokens[self.next]

    def take(self, *texts: str) -> Token | None:
        """Read one of some operators, if one is next."""
        token = self.token
        if token.kind != "operator" or token.text not in texts:
            return None
        self.next += 1
        return token

    def expect(self, text: str, opening: Token) -> None:
        """Read what closes something."""
        if self.take(text):
            return
        if self.token.kind == "end":
            raise self.wrong(opening, f"this {opening.text} is not closed; add a {text}.")
        raise self.unexpected()

    def nested(self, token: Token, read: Callable[[], Pieces], bars: int = 0) -> Pieces:
        """Read something one level deeper."""
        if self.depth == MAX_DEPTH:
            raise self.wrong(token, f"this is nested deeper than {MAX_DEPTH} levels; simplify it.")
        outside, self.bars = self.bars, bars
        self.depth += 1
        result = read()
        self.depth -= 1
        self.bars = outside
        return result

    def do(
        self, token: Token, verb: Callable[..., Pieces], *given: Pieces | Fraction | int
    ) -> Pieces:
        """Do exact arithmetic, if there is not too much of it; say where it goes wrong."""
        self.work += _work(verb, [f for f in given if isinstance(f, Pieces)])
        if self.work > MAX_WORK:
            raise self.wrong(
                token, "this takes too long; use fewer pieces, lower powers or shorter numbers."
            )
        try:
            return verb(*given)
        except InputError as problem:
            raise self.wrong(token, str(problem)) from None

    def unexpected(self) -> InputError:
        """Return the error for a word that cannot stand where it stands."""
        token = self.token
        if token.kind == "end":
            return self.wrong(token, "the expression ends too early; complete it.")
        if token.text in _COMPARISONS:
            return self.wrong(
                token, "comparisons belong in piecewise(value, condition, ..., otherwise)."
            )
        return self.wrong(token, f"{token.text[:20]!r} cannot stand here; {ALLOWED}.")

    def wrong(self, token: Token, message: str) -> InputError:
        return wrong(self.text, token.start, message)


def _work(verb: Callable[..., Pieces], given: list[Pieces]) -> float:
    """Estimate the operations on short fractions that some arithmetic takes."""
    pieces = 1 + sum(len(f.cuts) for f in given)
    bits = max(f.bits for f in given) / _SHORT
    each = 1.0 + sum(f.degree for f in given)
    if verb is exact.signs:
        # Those of lines and constants are found at once.
        return sum(len(p) ** 3 / 2 for p in given[0].polys if len(p) > 2) + _PER_PIECE * pieces
    if verb is exact.power:
        each = exact.MAX_DEGREE
    if verb in (exact.multiply, exact.power):
        # Products are made of integers, which are quicker.
        each += each * each / 20
    return pieces * (_PER_PIECE + each * (1 + bits))
