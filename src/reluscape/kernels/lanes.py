"""Eight numbers at once, in the vector registers of the processor.

Numba's own vectoriser gives up on loops that read many arrays, and halves the registers that it
uses where it succeeds. `Eight` is a value of compiled code that stands for eight doubles, with the
arithmetic of doubles in every lane, so that a kernel which moves eight networks reads like one that
moves a single network. Where a processor has shorter registers, LLVM takes two or four of them.

Every lane is rounded as the same scalar code would be: nothing is contracted or reordered.

Arrays are read and written through their `Address`: Numba counts references to an array wherever it
is handed on, which costs more than what is done with eight of its elements. Whoever takes an
address keeps the array alive.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, cast

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

from reluscape.kernels.typing import Counts, Floats, Integers

LANES = 8

# Not everything of these has types.
_extending, _cgutils, _ir = cast(Any, extending), cast(Any, cgutils), cast(Any, ir)
_Emit: TypeAlias = (
    Callable[[Any, Any], Any] | Callable[[Any, Any, Any], Any] | Callable[[Any, Any, Any, Any], Any]
)


class Eight(Protocol):
    """Eight doubles, in compiled code only."""

    def __add__(self, other: Eight | float) -> Eight:
        """Add lane by lane."""
        ...

    def __sub__(self, other: Eight | float) -> Eight:
        """Subtract lane by lane."""
        ...

    def __mul__(self, other: Eight | float) -> Eight:
        """Multiply lane by lane."""
        ...

    def __truediv__(self, other: Eight | float) -> Eight:
        """Divide lane by lane."""
        ...


class Address(Protocol):
    """Where an array begins, in compiled code only."""


class Truths(Protocol):
    """Eight truth values, in compiled code only."""


class Places(Protocol):
    """Eight indices, in compiled code only."""


class _Lanes(types.Type):
    """Numba's type of eight values of one kind."""

    def __init__(self, name: str, kind: ir.Type) -> None:
        self.kind = kind
        super().__init__(name)


class _LanesModel(extending.models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Any) -> None:  # noqa: ANN401
        super().__init__(manager, lanes, ir.VectorType(lanes.kind, LANES))


_DOUBLE, _BIT, _WORD = ir.DoubleType(), ir.IntType(1), ir.IntType(64)
_doubles, _bits = ir.VectorType(_DOUBLE, LANES), ir.VectorType(_BIT, LANES)
_words = ir.VectorType(_WORD, LANES)
_eight, _truths, _places = (
    _Lanes("Eight", _DOUBLE),
    _Lanes("Truths", _BIT),
    _Lanes("Places", _WORD),
)
_extending.register_model(_Lanes)(_LanesModel)


def _operation(result: Any, operands: list[Any], emit: _Emit) -> Any:  # noqa: ANN401
    """Make a function of compiled code whose body is `emit(builder, *operands)`."""
    names = "abcd"[: len(operands)]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
        return cast(Callable[..., Any], emit)(builder, *arguments)

    def typed(*seen: Any) -> Any:  # noqa: ANN401
        del seen
        return result(*operands), generate

    # Numba reads the names of the parameters off the signature.
    typers: dict[str, _Emit] = {
        "a": lambda typing_context, a: typed(a),  # noqa: ARG005
        "ab": lambda typing_context, a, b: typed(a, b),  # noqa: ARG005
        "abc": lambda typing_context, a, b, c: typed(a, b, c),  # noqa: ARG005
    }
    return _extending.intrinsic(typers[names])


def _call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:  # noqa: ANN401
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(_cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def _everywhere(builder: Any, value: Any, vector: Any) -> Any:  # noqa: ANN401
    undefined = ir.Constant(vector, _ir.Undefined)
    one = builder.insert_element(undefined, value, ir.IntType(32)(0))
    return builder.shuffle_vector(
        one, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    )


def _at(builder: Any, address: Any, place: Any, vector: Any) -> Any:  # noqa: ANN401
    return builder.bitcast(builder.gep(address, [place]), vector.as_pointer())


def _address() -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    def typed(typing_context: Any, array: Any) -> Any:  # noqa: ANN401, ARG001
        return types.CPointer(array.dtype)(array), generate

    return _extending.intrinsic(typed)


def _load(result: Any, vector: Any) -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
        address, place = arguments
        value = builder.load(_at(builder, address, place, vector))
        value.align = 8
        return value

    def typed(typing_context: Any, address: Any, place: Any) -> Any:  # noqa: ANN401, ARG001
        return result(address, types.intp), generate

    return _extending.intrinsic(typed)


def _store(operand: Any, vector: Any) -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
        address, place, value = arguments
        builder.store(value, _at(builder, address, place, vector)).align = 8
        return context.get_dummy_value()

    def typed(typing_context: Any, address: Any, place: Any, value: Any) -> Any:  # noqa: ANN401, ARG001
        return types.void(address, types.intp, operand), generate

    return _extending.intrinsic(typed)


def _spread_at() -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
        value = builder.load(builder.gep(arguments[0], [arguments[1]]))
        return _everywhere(builder, value, _doubles)

    def typed(typing_context: Any, address: Any, place: Any) -> Any:  # noqa: ANN401, ARG001
        return _eight(address, types.intp), generate

    return _extending.intrinsic(typed)


def _gather_counts() -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
        data, places = arguments
        found = ir.Constant(_words, _ir.Undefined)
        for lane in range(LANES):
            number = ir.IntType(32)(lane)
            value = builder.load(builder.gep(data, [builder.extract_element(places, number)]))
            found = builder.insert_element(found, builder.sext(value, _WORD), number)
        return found

    def typed(typing_context: Any, address: Any, places: Any) -> Any:  # noqa: ANN401, ARG001
        return _places(address, _places), generate

    return _extending.intrinsic(typed)


def _picked() -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
        table, places = arguments
        # LLVM does not make the one instruction that does it out of the portable pattern below.
        if "+avx512f" in str(getattr(context.codegen(), "_tm_features", "")):
            return _call(builder, "llvm.x86.avx512.permvar.df.512", _doubles, table, places)
        result = ir.Constant(_doubles, _ir.Undefined)
        for lane in range(LANES):
            number = ir.IntType(32)(lane)
            value = builder.extract_element(table, builder.extract_element(places, number))
            result = builder.insert_element(result, value, number)
        return result

    def typed(typing_context: Any, table: Any, places: Any) -> Any:  # noqa: ANN401, ARG001
        return _eight(_eight, _places), generate

    return _extending.intrinsic(typed)


def _turned(builder: Any, rows: list[Any]) -> list[Any]:  # noqa: ANN401
    """Transpose eight vectors: swap ever smaller blocks across the diagonal."""
    for size in (4, 2, 1):
        turned = list(rows)
        for i in range(LANES):
            if i & size:
                continue
            a, b = rows[i], rows[i + size]
            upper = [k if not k & size else LANES + k - size for k in range(LANES)]
            lower = [k + size if not k & size else LANES + k for k in range(LANES)]
            for at, mask in ((i, upper), (i + size, lower)):
                chosen = ir.Constant(ir.VectorType(ir.IntType(32), LANES), mask)
                turned[at] = builder.shuffle_vector(a, b, chosen)
        rows = turned
    return rows


def _columns() -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        data, places = arguments
        rows: list[Any] = []
        for lane in range(LANES):
            at = builder.gep(data, [builder.extract_element(places, ir.IntType(32)(lane))])
            rows.append(builder.load(builder.bitcast(at, _doubles.as_pointer())))
            rows[-1].align = 8
        return context.make_tuple(builder, signature.return_type, _turned(builder, rows))

    def typed(typing_context: Any, address: Any, places: Any) -> Any:  # noqa: ANN401, ARG001
        return types.UniTuple(_eight, LANES)(address, _places), generate

    return _extending.intrinsic(typed)


address = cast(Callable[[Floats | Integers | Counts], Address], _address())
"""`address(flat)`: where a flat array begins."""
load = cast(Callable[[Address, int], Eight], _load(_eight, _doubles))
"""`load(address, place)`: eight neighbours from a place on."""
store = cast(Callable[[Address, int, Eight], None], _store(_eight, _doubles))
load_places = cast(Callable[[Address, int], Places], _load(_places, _words))
store_places = cast(Callable[[Address, int, Places], None], _store(_places, _words))
columns = cast(
    Callable[[Address, Places], tuple[Eight, Eight, Eight, Eight, Eight, Eight, Eight, Eight]],
    _columns(),
)
"""`columns(address, places)`: the columns of the eight rows of eight that begin at `places`.

Each row is read at once, so that one of a single cache line costs one access to memory.
"""
gather_counts = cast(Callable[[Address, Places], Places], _gather_counts())
"""`gather_counts(address, places)`: eight elements of an array of short integers."""
picked = cast(Callable[[Eight, Places], Eight], _picked())
"""`picked(table, places)`: elements of eight numbers, 0 to 7."""
counted = cast(
    Callable[[Places, Truths], Places],
    _operation(
        _places,
        [_places, _truths],
        lambda builder, a, m: builder.add(a, builder.zext(m, _words)),
    ),
)
"""`counted(places, truths)`: one more where it is true."""
no_places = cast(
    Callable[[float], Places],
    _operation(_places, [types.float64], lambda builder, a: ir.Constant(_words, [0] * LANES)),  # noqa: ARG005
)
floors = cast(
    Callable[[Eight], Places],
    _operation(_places, [_eight], lambda builder, a: builder.fptosi(a, _words)),
)
"""`floors(values)`: the whole parts of numbers that are not negative and not large."""
spread_at = cast(Callable[[Address, int], Eight], _spread_at())
"""`spread_at(address, place)`: the same element in all lanes."""
spread = cast(
    Callable[[float], Eight],
    _operation(_eight, [types.float64], lambda builder, a: _everywhere(builder, a, _doubles)),
)
"""`spread(x)`: the same number in all lanes."""
fma = cast(
    Callable[[Eight, Eight, Eight], Eight],
    _operation(
        _eight,
        [_eight] * 3,
        lambda builder, a, b, c: _call(builder, "llvm.fma.v8f64", _doubles, a, b, c),
    ),
)
"""`fma(a, b, c)`: `a * b + c` with one rounding."""
magnitude = cast(
    Callable[[Eight], Eight],
    _operation(_eight, [_eight], lambda builder, a: _call(builder, "llvm.fabs.v8f64", _doubles, a)),
)
root = cast(
    Callable[[Eight], Eight],
    _operation(_eight, [_eight], lambda builder, a: _call(builder, "llvm.sqrt.v8f64", _doubles, a)),
)
less = cast(
    Callable[[Eight, Eight], Truths],
    _operation(_truths, [_eight] * 2, lambda builder, a, b: builder.fcmp_ordered("<", a, b)),
)
at_most = cast(
    Callable[[Eight, Eight], Truths],
    _operation(_truths, [_eight] * 2, lambda builder, a, b: builder.fcmp_ordered("<=", a, b)),
)
equal = cast(
    Callable[[Eight, Eight], Truths],
    _operation(_truths, [_eight] * 2, lambda builder, a, b: builder.fcmp_ordered("==", a, b)),
)
both = cast(
    Callable[[Truths, Truths], Truths],
    _operation(_truths, [_truths] * 2, lambda builder, a, b: builder.and_(a, b)),
)
either = cast(
    Callable[[Truths, Truths], Truths],
    _operation(_truths, [_truths] * 2, lambda builder, a, b: builder.or_(a, b)),
)
differ = cast(
    Callable[[Truths, Truths], Truths],
    _operation(_truths, [_truths] * 2, lambda builder, a, b: builder.xor(a, b)),
)
where = cast(
    Callable[[Truths, Eight, Eight], Eight],
    _operation(_eight, [_truths, _eight, _eight], lambda builder, m, a, b: builder.select(m, a, b)),
)
"""`where(truths, a, b)`: a lane of `a` where it is true, else of `b`."""
any_of = cast(
    Callable[[Truths], bool],
    _operation(
        types.boolean,
        [_truths],
        lambda builder, m: builder.icmp_unsigned(
            "!=", builder.bitcast(m, ir.IntType(LANES)), ir.IntType(LANES)(0)
        ),
    ),
)
scaled = cast(
    Callable[[Places, int], Places],
    _operation(
        _places,
        [_places, types.int64],
        lambda builder, a, b: builder.mul(a, _everywhere(builder, b, _words)),
    ),
)
"""`scaled(places, by)`: all indices times a number."""
shifted = cast(
    Callable[[Places, int], Places],
    _operation(
        _places,
        [_places, types.int64],
        lambda builder, a, b: builder.add(a, _everywhere(builder, b, _words)),
    ),
)
"""`shifted(places, by)`: all indices plus a number."""
stepped = cast(
    Callable[[Places, Truths, Truths], Places],
    _operation(
        _places,
        [_places, _truths, _truths],
        lambda builder, a, up, down: builder.sub(
            builder.add(a, builder.zext(up, _words)), builder.zext(down, _words)
        ),
    ),
)
"""`stepped(places, up, down)`: one more where `up` is true, one less where `down` is."""
switched = cast(
    Callable[[Truths, Places, Places], Places],
    _operation(
        _places, [_truths, _places, _places], lambda builder, m, a, b: builder.select(m, a, b)
    ),
)
"""`where` for indices."""


def _define(symbol: Callable[..., Any], name: str) -> None:
    emit = _operation(_eight, [_eight] * 2, lambda builder, a, b: getattr(builder, name)(a, b))

    def choose(a: Any, b: Any) -> Callable[[Any, Any], Any] | None:  # noqa: ANN401
        if a is _eight and b is _eight:
            return lambda a, b: emit(a, b)
        if a is _eight and b is types.float64:
            return lambda a, b: emit(a, spread(b))
        if a is types.float64 and b is _eight:
            return lambda a, b: emit(spread(a), b)
        return None

    extending.overload(symbol, strict=False)(choose)  # only the annotations differ


for _symbol, _name in (("add", "fadd"), ("sub", "fsub"), ("mul", "fmul"), ("truediv", "fdiv")):
    _define(getattr(operator, _symbol), _name)
