"""Random critical networks for random affine targets, and networks that just fail to be critical.

Every case carries its exact parameters and the floats nearest to them. In the ``dyadic`` ones both
are equal: lengths and slopes are multiples of what the breakpoints divide by. In the others a
breakpoint like 1/3 is off by a rounding, and so are sums and offsets; what touches an end of the
interval does so exactly in all of them, for a rounding there would make another network of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from landscape_oracle import (
    GLOBAL,
    LOCAL,
    NOT,
    SADDLE,
    TOLERANCE,
    Line,
    Neuron,
    leaky_shape,
    plain,
    realize,
    relu_kinks,
    verdict,
)
from records import Plain

Q = Fraction
ZERO, ONE = Q(0), Q(1)
EXACT_SLOPES = (Q(9, 16),)  # a float with rational roots of itself and of 1 + itself
OTHER_SLOPES = (Q(25, 144), Q(64, 225), Q(49, 576), Q(1, 10), Q(1, 2), Q(1, 64))


@dataclass(frozen=True)
class Case:
    """A network, what it is meant to be, and why."""

    sort: str
    line: Line
    neurons: tuple[Neuron, ...]
    c: Fraction
    slope: Fraction
    kind: str
    dyadic: bool

    @property
    def floats(self) -> Plain:
        w, b, v = (tuple(float(t) for t in column) for column in zip(*self.neurons, strict=True))
        # w is a power of two: b / w is then t rounded once, so that shared breakpoints stay shared
        return Plain(w, b, v, float(self.c), None, float(self.slope))

    def exactly(self) -> str:
        """Apply the theorem to the exact parameters."""
        tolerance = 0 if self.slope == 0 else TOLERANCE
        return verdict(self.line, self.neurons, self.c, self.slope, "ge", tolerance)

    def exact_plain(self) -> Plain:
        return plain(self.neurons, self.c, self.slope)


# --------------------------------------------------------------------------------------- pieces


def power(rng: Random) -> Fraction:
    return Q(2) ** rng.randint(-3, 3)


def part(rng: Random, low: int = 1, high: int = 48) -> Fraction:
    """Draw a non-zero multiple of 1/16."""
    return rng.choice((-1, 1)) * Q(rng.randint(low, high), 16)


def random_line(rng: Random, step: Fraction = ONE, slope: Fraction = ONE) -> Line:
    """Draw an affine target; length and slope are multiples of what is given, over 16."""
    a = Q(rng.randint(-24, 24), 8)
    alpha = slope * part(rng, 4, 32)
    return Line(alpha, Q(rng.randint(-32, 32), 16), a, a + step * Q(rng.randint(4, 24), 8))


def at(t: Fraction, right: bool, rng: Random) -> tuple[Fraction, Fraction]:
    """Draw (w, b) with breakpoint t that is active on the side given."""
    w = power(rng) if right else -power(rng)
    return w, -w * t


def splits(total: Fraction, count: int, rng: Random) -> list[Fraction]:
    """Draw a random sum of `count` terms, some of them zero."""
    parts = [rng.choice((ZERO, part(rng))) for _ in range(count - 1)]
    parts.append(total - sum(parts, ZERO))
    rng.shuffle(parts)
    return parts


def inactive(line: Line, rng: Random) -> Neuron:
    w = rng.choice((ZERO, power(rng), -power(rng)))
    height = max(w * line.a, w * line.b)
    return w, -height - Q(rng.randint(1, 24), 8) * (abs(w) or 1), rng.choice((ZERO, part(rng)))


def semi_inactive(line: Line, rng: Random, sign: int | None = None) -> Neuron:
    """Draw a neuron that is zero at one end and negative elsewhere.

    `sign` 1 is asleep for good (alpha v > 0 at the left end, < 0 at the right end), 0 and -1 not.
    """
    left = rng.random() < 0.5
    w, b = at(line.a if left else line.b, not left, rng)
    sign = rng.choice((-1, 0, 1)) if sign is None else sign
    side = (1 if left else -1) * (1 if line.alpha > 0 else -1)
    return w, b, sign * side * abs(part(rng))


def flat_semi_active(rng: Random) -> Neuron:
    return ZERO, Q(rng.randint(1, 48), 16), ZERO


def sleepers(line: Line, rng: Random, most: int = 2) -> list[Neuron]:
    """Draw neurons that every saddle with breakpoints may have beside these."""
    kinds = [rng.randrange(4) for _ in range(rng.randint(0, most))]
    draw = (
        lambda: inactive(line, rng),
        lambda: semi_inactive(line, rng),
        lambda: flat_semi_active(rng),
        lambda: (ZERO, ZERO, ZERO),
    )
    return [draw[i]() for i in kinds]


def centred(line: Line, neurons: list[Neuron]) -> Fraction:
    return line.centre - realize(neurons, ZERO, (line.a + line.b) / 2, ZERO)


def finish(
    sort: str,
    line: Line,
    neurons: list[Neuron],
    c: Fraction,
    kind: str,
    rng: Random,
    slope: Fraction = ZERO,
    dyadic: bool = True,
) -> Case:
    """Rescale by powers of two and permute."""
    done = []
    for w, b, v in neurons:
        factor = power(rng)
        done.append((factor * w, factor * b, v / factor))
    rng.shuffle(done)
    return Case(sort, line, tuple(done), c, slope, kind, dyadic)


# ----------------------------------------------------------------------------- critical networks


def level_neurons(line: Line, n: int, rng: Random) -> list[Neuron]:
    """Draw the neurons with breakpoints of a saddle of level n, one to three at each."""
    neurons = []
    for i, t in enumerate(relu_kinks(line, n)):
        for share in splits(2 * line.alpha / (n + 1), rng.choice((1, 1, 2, 3)), rng):
            w, b = at(t, i % 2 == 0, rng)
            neurons.append((w, b, share / w))
    return neurons


def level_line(n: int, rng: Random, dyadic: bool) -> Line:
    return random_line(rng, Q(n + 1), Q(n + 1)) if dyadic else random_line(rng)


def level_saddle(rng: Random) -> Case:
    n, dyadic = rng.choice((2, 2, 4, 6)), rng.random() < 0.5
    line = level_line(n, rng, dyadic)
    neurons = level_neurons(line, n, rng) + sleepers(line, rng)
    return finish(f"level {n}", line, neurons, centred(line, neurons), SADDLE, rng, dyadic=dyadic)


def dead(line: Line, rng: Random, least: int = 1) -> list[Neuron]:
    draw = (lambda: inactive(line, rng), lambda: semi_inactive(line, rng, 1))
    return [rng.choice(draw)() for _ in range(rng.randint(least, 3))]


def dead_minimum(rng: Random) -> Case:
    line = random_line(rng)
    return finish("dead", line, dead(line, rng), line.centre, LOCAL, rng)


def waking_saddle(rng: Random) -> Case:
    line = random_line(rng)
    draw = {
        "flat semi-active": lambda: flat_semi_active(rng),
        "flat at an end": lambda: semi_inactive(line, rng, 0),
        "wrong sign at an end": lambda: semi_inactive(line, rng, -1),
        "flat degenerate": lambda: (ZERO, ZERO, ZERO),
    }
    sort = rng.choice(tuple(draw))
    neurons = [draw[sort](), *dead(line, rng, 0)]
    if rng.random() < 0.3:
        neurons.append(draw[rng.choice(tuple(draw))]())
    return finish(sort, line, neurons, line.centre, SADDLE, rng)


def inside(line: Line, rng: Random) -> Fraction:
    return line.a + line.length * Q(rng.randint(1, 15), 16)


def global_minimum(rng: Random, slope: Fraction = ZERO) -> Case:
    line = random_line(rng)
    third = rng.random() < 0.3  # weights that are no powers of two: the slope is then rounded
    scale = Q(3) if third else Q(1)
    sort = rng.choice(("line", "two sides", "stacked", "line and hat"))
    neurons: list[Neuron] = []
    t = inside(line, rng)
    if sort in ("line", "line and hat"):
        w = scale * rng.choice((-1, 1)) * power(rng)
        edge = max(-w * line.a, -w * line.b) + rng.choice((0, 0, Q(rng.randint(1, 16), 8)))
        neurons.append((w, edge, line.alpha / w))
    if sort == "two sides":
        for right in (True, False):
            w, b = at(t, right, rng)
            neurons.append((scale * w, scale * b, line.alpha / (scale * w) / (1 + slope)))
    if sort == "stacked":
        rest = line.alpha / (1 + slope)
        for right in (True, False):
            for share in splits(rest, 2, rng):
                w, b = at(t, right, rng)
                neurons.append((w, b, share / w))
    if sort == "line and hat":
        share = part(rng)
        for sign in (1, -1):
            w, b = at(t, True, rng)
            neurons.append((w, b, sign * share / w))
    if slope:  # nothing is ever asleep: whatever is added must be flat
        neurons += [(w, b, ZERO) for w, b, _ in sleepers(line, rng)]
    else:
        neurons += sleepers(line, rng)
    if rng.random() < 0.3:
        neurons += [(ZERO, ZERO, part(rng)), (ZERO, Q(1), part(rng))]
    c = line(line.a) - realize(neurons, ZERO, line.a, slope)
    return finish(f"fits: {sort}", line, neurons, c, GLOBAL, rng, slope, not third and not slope)


def leaky_line(n: int, family: str, rng: Random, dyadic: bool) -> Line:
    if not dyadic:
        return random_line(rng)
    ends = {"A": Q(2), "B": Q(3, 2)}[family] if n % 2 == 0 else Q(7, 4)
    total = (n - 1) * Q(5, 4) + ends  # a multiple of 1/4
    return random_line(rng, total / 4 * 2, 15 * total / 4)


def leaky_saddle(rng: Random) -> Case:
    n, family = rng.randint(0, 4), rng.choice("AB")
    dyadic = rng.random() < 0.5
    g = rng.choice(EXACT_SLOPES if dyadic else OTHER_SLOPES)
    line = leaky_line(n, family, rng, dyadic) if n else random_line(rng)
    neurons: list[Neuron] = []
    c = line.centre
    if n:
        shape = leaky_shape(line, n, family, g)
        for t, right, total in zip(shape.kinks, shape.rightward, shape.sums, strict=True):
            for share in splits(total, rng.choice((1, 1, 2)), rng):
                w, b = at(t, right, rng)
                neurons.append((w, b, share / w))
        c = shape.offset - realize(neurons, ZERO, line.a, g)
    for _ in range(rng.randint(0 if n else 1, 2)):
        neurons.append((ZERO, rng.choice((ZERO, part(rng))), ZERO))
    return finish(f"leaky {n}{family}", line, neurons, c, SADDLE, rng, g, dyadic)


def leaky_global(rng: Random) -> Case:
    return global_minimum(rng, rng.choice(EXACT_SLOPES + OTHER_SLOPES))


CRITICAL_SORTS = (
    (level_saddle, 35),
    (dead_minimum, 20),
    (waking_saddle, 15),
    (global_minimum, 10),
    (leaky_saddle, 17),
    (leaky_global, 3),
)


def critical_cases(count: int, seed: int) -> list[Case]:
    rng = Random(seed)
    makers, shares = zip(*CRITICAL_SORTS, strict=True)
    return [make(rng) for make in rng.choices(makers, shares, k=count)]


# ------------------------------------------------------------------------------------ near misses


def near_miss(rng: Random) -> Case:
    """Break exactly one condition of the theorem."""
    breaks = ("breakpoint", "sum", "offset", "side", "semi-active", "degenerate", "type-1", "odd")
    broken = rng.choice(breaks)
    dyadic = rng.random() < 0.5
    n = rng.choice((1, 3, 5)) if broken == "odd" else rng.choice((0, 2, 4))
    if broken in ("breakpoint", "sum", "side"):
        n = n or 2
    line = level_line(n, rng, dyadic) if n else random_line(rng)
    neurons = level_neurons(line, n, rng) if n else dead(line, rng)
    h = line.length / (n + 1)
    if broken == "breakpoint":
        i = rng.randrange(n)
        t, move = relu_kinks(line, n)[i], rng.choice((-1, 1)) * h / 16
        neurons = [(w, b - w * move if w and -b / w == t else b, v) for w, b, v in neurons]
    if broken == "sum":
        j = rng.randrange(len(neurons))
        w, b, v = neurons[j]
        neurons[j] = w, b, v + line.alpha / 16 / w
    if broken == "side":
        t = rng.choice(relu_kinks(line, n))
        right = relu_kinks(line, n).index(t) % 2 == 1
        neurons.append((*at(t, right, rng), ZERO))
    if broken == "semi-active":
        neurons.append((ZERO, Q(1), part(rng, 8)))
    if broken == "degenerate":
        neurons.append((ZERO, ZERO, part(rng, 8)))
    if broken == "type-1":
        w = power(rng) * rng.choice((-1, 1))
        neurons.append((w, max(-w * line.a, -w * line.b) + rng.choice((0, 1)), ZERO))
    neurons += sleepers(line, rng, 1)
    c = centred(line, neurons) + (line.alpha * h / 16 if broken == "offset" else 0)
    return finish(f"not: {broken}", line, neurons, c, NOT, rng, dyadic=dyadic)


def near_misses(count: int, seed: int) -> list[Case]:
    rng = Random(seed)
    return [near_miss(rng) for _ in range(count)]
