"""Tables: every way to write one that is understood, and every fault with its line."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluscape.errors import InputError
from reluscape.tables.layout import find_layout
from reluscape.tables.reading import Columns, read_columns
from reluscape.tables.sheets import TextSheet
from reluscape.tables.sources import Source


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Read columns of a file with given content."""

    def run(content: str | bytes, suffix: str = ".csv", **wanted: Any) -> Columns:
        path = tmp_path / f"table{suffix}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_columns(str(path), **wanted)

    return run


UNDERSTOOD = {
    "commas": "x,y\n1,2\n3,4.5\n",
    "no last line break": "x,y\n1,2\n3,4.5",
    "no header": "1,2\n3,4.5\n",
    "semicolons": "x;y\n1;2\n3;4.5\n",
    "tabs": "x\ty\n1\t2\n3\t4.5\n",
    "decimal commas": "x;y\n1;2\n3;4,5\n",
    "decimal commas, no header": "1,0;2,0\n3,0;4,5\n",
    "decimal commas and tabs": "x\ty\n1\t2\n3\t4,5\n",
    "spaces": " x , y \n 1 , 2 \n 3,4.5\n",
    "plus signs and exponents": "x,y\n+1,2e0\n.3E1,4.5\n",
    "blank lines": "\n\nx,y\n\n1,2\n\n3,4.5\n\n",
    "comments on top": "# by me\n#\nx,y\n1,2\n3,4.5\n",
    "Windows": "x,y\r\n1,2\r\n3,4.5\r\n",
    "old Macintosh": "x,y\r1,2\r3,4.5\r",
    "a byte order mark": "\ufeffx,y\n1,2\n3,4.5\n",
    "quotes": '"x","y"\n"1","2"\n3,"4.5"\n',
    "a line break in the header": '"x\n(s)",y\n1,2\n3,4.5\n',
}


@pytest.mark.parametrize("content", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_understood(read: Any, content: str) -> None:
    columns = read(content)
    np.testing.assert_array_equal(columns.x, [1, 3])
    np.testing.assert_array_equal(columns.y, [2, 4.5])
    assert (columns.x.dtype, columns.y.dtype) == (np.float64, np.float64)


@pytest.mark.parametrize("content", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_the_slow_reader_reads_the_same(tmp_path: Path, content: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode())
    source = Source("table.csv", path, None)
    sheet = TextSheet(source, find_layout(source, None))
    for fast, slow in zip(sheet.read([0, 1]), sheet._read_slowly([0, 1]), strict=True):
        np.testing.assert_array_equal(fast, slow)


def test_decimal_commas_are_mentioned(read: Any) -> None:
    assert "4,5 is read as 4.5" in read(UNDERSTOOD["decimal commas"]).notes[0]
    assert read(UNDERSTOOD["commas"]).notes == ()


def test_quoted_line_breaks_do_not_shift_lines(read: Any) -> None:
    with pytest.raises(InputError, match="line 5: 'bad'"):
        read('x,y,note\n1,2,"a\nb"\n3,4,c\n5,bad,d\n', x=["x"], y="y")


def test_packed_files_are_unpacked(read: Any) -> None:
    assert read(gzip.compress(b"x,y\n1,2\n"), ".csv.gz").y == [2]
    with pytest.raises(InputError, match=r"cannot read .*table.csv.gz"):
        read(b"not packed", ".csv.gz")


def test_tab_separated_by_suffix(read: Any) -> None:
    columns = read("a,b\tc,d\n1\t2\n", ".tsv")
    assert (columns.x_names, columns.y_name) == (("a,b",), "c,d")


def test_columns_of_text_do_not_disturb(read: Any) -> None:
    columns = read("who,x,y\nann,1,2\nbob,3,4\n")
    assert (columns.x_names, columns.y_name) == (("x",), "y")


def test_bytes_that_are_not_utf8_in_other_columns_do_not_disturb(read: Any) -> None:
    assert read(b"x,y,name\n1,2,\xe9\n").y == [2]


def test_several_inputs_and_weights(read: Any) -> None:
    columns = read("a,b,c,w\n1,2,3,4\n5,6,7,0\n", x=["b", "1"], y="-2", weights="w")
    np.testing.assert_array_equal(columns.x, [[2, 1], [6, 5]])
    np.testing.assert_array_equal(columns.y, [3, 7])
    np.testing.assert_array_equal(columns.weights, [4, 0])
    assert (columns.x_names, columns.weights_name) == (("b", "a"), "w")


FAULTS: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "empty": (b"", {}, "is empty"),
    "blank": ("\n \n", {}, "is empty"),
    "comments only": ("# a\n# b\n", {}, "is empty"),
    "header only": ("x,y\n", {}, "has a header but no rows"),
    "header only, no line break": ("x,y", {}, "has a header but no rows"),
    "one column": ("x\n1\n2\n", {}, "single column"),
    "separated by spaces": ("x y\n1 2\n", {}, "separated by commas, tabs or semicolons"),
    "text": ("x,y\n1,2\n3,abc\n", {}, "line 3: 'abc' in column 'y' is not a number"),
    "text after comments": ("# a\n\nx,y\n\n1,2\n3,abc\n", {}, "line 6: 'abc'"),
    "text without header": ("1,2\n3,abc\n", {}, "line 2: 'abc' in column '2'"),
    "long text": (f"x,y\n1,{'z' * 99}\n", {}, "'" + "z" * 40 + "…'"),
    "underscores": ("x,y\n1,1_000\n", {}, "line 2: '1_000'"),
    "dates": ("day,y\n2020-02-01,1\n2020-02-02,2\n", {}, "days since the first"),
    "thousands": ('x,y\n1,"2,000"\n', {}, "no thousands separators"),
    "missing": ("x,y\n1,2\n3,\n4,NA\n", {}, "'y' has 2 missing values, the first in line 3"),
    "one missing": ("x,y\n1,2\n,4\n", {}, "'x' has 1 missing value, in line 3"),
    "infinite": ("x,y\n1,2\n3,inf\n", {}, "'y' has 1 infinite value, in line 3"),
    "too large": ("x,y\n1,2\n3,1e999\n", {}, "1 infinite value"),
    "both": ("x,y\n1,nan\n3,-inf\n", {}, "2 missing or infinite values, the first in line 2"),
    "short row": ("x,y\n1,2\n\n3\n", {}, "line 4: 1 value where the first line has 2"),
    "long row": ("x,y\n1,2\n3,4,5\n", {}, "line 3: 3 values where the first line has 2"),
    "short and unread": ("x,y,z\n1,2\n", {"x": ["x"], "y": "y"}, "line 2: 2 values"),
    "open quote": ('x,y\n1,"2\n3,4\n', {}, "line 2: "),
    "UTF-16": ("x,y\n1,2\n".encode("utf-16"), {}, "UTF-16"),
    "UTF-16 without mark": ("x,y\n1,2\n".encode("utf-16-le"), {}, "UTF-16"),
    "Latin-1 header": ("é,y\n1,2\n".encode("latin-1"), {}, "not in UTF-8"),
    "spreadsheet": (b"PK\x03\x04rest", {}, "spreadsheet"),
    "damaged Parquet": (b"PAR1rest", {}, "damaged Parquet"),
    "no such column": ("dose,y\n1,2\n", {"x": ["dosis"]}, "did you mean 'dose'?"),
    "not even similar": ("dose,y\n1,2\n", {"x": ["qqq"]}, "give --x one of those"),
    "position 0": ("x,y\n1,2\n", {"x": ["0"]}, "positions go from 1 to 2"),
    "position too large": ("x,y\n1,2\n", {"y": "3"}, "or from -1 to -2"),
    "ambiguous name": ("a,a\n1,2\n", {"x": ["a"]}, "as a position (1, 2)"),
    "same column twice": ("x,y\n1,2\n", {"x": ["x"], "y": "1"}, "'x' is given twice"),
    "weights are y": ("x,y,z\n1,2,3\n", {"x": ["x"], "y": "y", "weights": "y"}, "twice"),
    "three columns": ("a,b,c\n1,2,3\n", {}, "say with --x and --y which to fit"),
    "y not said": ("a,b,c\n1,2,3\n", {"x": ["a"]}, "say with --y which to fit"),
    "only text": ("a,b,c\np,q,1\n", {}, "too few of them numbers"),
    "negative weights": ("x,y,w\n1,2,1\n3,4,-2\n", {"weights": "w"}, "-2 in line 3"),
    "zero weights": ("x,y,w\n1,2,0\n3,4,0\n", {"weights": "w"}, "all weights in column 'w' are 0"),
}


@pytest.mark.parametrize(("content", "wanted", "message"), FAULTS.values(), ids=FAULTS)
def test_faults(read: Any, content: str | bytes, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(content, **wanted)
    text = str(caught.value)
    assert message in text
    assert text.endswith((".", "?"))


def test_a_fault_far_down_is_found(read: Any) -> None:
    rows = "".join(f"{i},{i}\n" for i in range(200_000))
    with pytest.raises(InputError, match="line 200002: 'end'"):
        read(f"x,y\n{rows}1,end\n")


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x,y\n1,2\n")
    for path, message in {
        "dta.csv": r"did you mean .*data\.csv\?",
        "zzz": "check the path",
        "no/folder.csv": "not even a folder",
        ".": "is a directory",
    }.items():
        with pytest.raises(InputError, match=message):
            read_columns(str(tmp_path / path))


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    import os
    import threading

    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("x,y\n1,2\n3,4\n",))
    writer.start()
    columns = read_columns(str(path))
    writer.join()
    np.testing.assert_array_equal(columns.y, [2, 4])


class TestParquet:
    """Parquet files."""

    @pytest.fixture
    def parquet(self, read: Any) -> Any:
        """Read columns of a Parquet file with given columns."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        def run(columns: dict[str, Any], cut: int | None = None, **wanted: Any) -> Columns:
            sink = pa.BufferOutputStream()
            pq.write_table(pa.table(columns), sink)
            return read(sink.getvalue().to_pybytes()[:cut], ".parquet", **wanted)

        return run

    def test_it_is_read(self, parquet: Any) -> None:
        columns = parquet({"who": ["a", "b"], "x": [1, 2], "y": [0.5, 1.5]})
        np.testing.assert_array_equal(columns.x, [1.0, 2.0])
        np.testing.assert_array_equal(columns.y, [0.5, 1.5])
        assert columns.x.dtype == np.float64

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ({"x": [1, None, None], "y": [1, 2, 3]}, "2 missing values, the first in row 2"),
            ({"x": [1.0, 2.0], "y": [1.0, float("inf")]}, "1 infinite value, in row 2"),
            ({"x": ["a", "b"], "y": [1, 2]}, "row 1: 'a' in column 'x' is not a number"),
            ({"x": [], "y": []}, "no rows"),
        ],
    )
    def test_faults(self, parquet: Any, content: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError, match=message):
            parquet(content)

    def test_damage(self, parquet: Any) -> None:
        with pytest.raises(InputError, match="damaged Parquet"):
            parquet({"x": [1], "y": [2]}, cut=-9)

    def test_the_suffix_does_not_make_it_one(self, read: Any) -> None:
        with pytest.raises(InputError, match="not a Parquet file"):
            read("x,y\n1,2\n", ".parquet")

    def test_missing_values_in_any_chunk(self, tmp_path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        y = [None if i % 7 == 3 else i / 2 for i in range(100)]
        table = pa.table({"x": range(100), "y": y})
        path = tmp_path / "a.parquet"
        pq.write_table(table, path, row_group_size=11)
        with pytest.raises(InputError, match="14 missing values, the first in row 4"):
            read_columns(str(path))


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_numbers_come_back_bit_for_bit(rows: list[tuple[float, float]]) -> None:
    content = "x,y\n" + "".join(f"{x!r},{y!r}\n" for x, y in rows)
    source = Source("table.csv", None, content.encode())
    sheet = TextSheet(source, find_layout(source, None))
    for read in (sheet.read, sheet._read_slowly):
        np.testing.assert_array_equal(np.column_stack(read([0, 1])), np.array(rows))
