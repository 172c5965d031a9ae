"""What a study is: many descents, declared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from reluscape.errors import InputError
from reluscape.networks.activations import Activation
from reluscape.problems.interval import Interval
from reluscape.studies import settings
from reluscape.studies.axes import Initialisation
from reluscape.studies.checks import check_keys
from reluscape.studies.subjects import Problem, located
from reluscape.training.optimisers import Optimiser, StochasticGradientDescent

if TYPE_CHECKING:
    from reluscape.studies.plan import Plan
    from reluscape.studies.result import StudyResult

Table: TypeAlias = Mapping[str, object]

# Parameters without a default: the first ones.
_NEEDED = 5
_AXES = ("problem", "activation", "width", "initialisation", "optimiser", "step size")


@dataclass(frozen=True, eq=False)
class Study:
    """Many gradient descents: every combination of the axes below, from many random starts.

    All randomness comes from `seed` and from what a run is: neither other widths or step sizes in
    the same study, nor engines, nor the order of work change a number. Runs that differ by step
    size, rule of descent or activation alone start at the same points.

    Parameters
    ----------
    problems : mapping from names to Interval, Samples or tables
        With one input and scalar targets. A table has a `kind`, as in TOML: "piecewise linear" (x,
        y), "expression" (target, interval), "affine" (alpha, beta, interval), "trap" (interval,
        gap), "data" (file, x, y, weights); the first three may have a density.
    widths : sequence of int
    starts : int
        Runs of each combination.
    step_sizes : sequence of float
    steps : int
        Steps of each run.
    initialisations : sequence of str or mapping
        ``"normal"`` (S1), ``"normal*0.1"`` or ``{"kind": "normal", "scale": 0.1}``, ``"spread"``
        (see `breakpoint_spread`).
    activations : sequence of str or float
        ``"relu"``, or slopes of leaky ReLU, as 0.1 or ``"leaky(0.1)"``.
    optimisers : sequence of str or mapping
        ``"gd"``, ``"heavy ball"``, ``"adam"``, or tables with a `kind` and numbers: `momentum`;
        `beta1`, `beta2`, `epsilon`; ``{"kind": "sgd", "batch": 32}`` on data.
    skip : bool
        Whether networks have a skip connection.
    at_zero : {"gt", "ge"}
        Derivative of ReLU at zero, 0 or 1.
    records : int or sequence of int, optional
        Steps at which the risk is kept: some, or about so many at growing distances; default: the
        first and the last.
    thresholds : sequence of float, or mapping from problems to such
        The first monitored step with a risk at or below each is kept.
    monitor_every : int
        Steps between two monitored ones.
    success : float, or mapping from problems to floats
        A run has succeeded if its final risk is at most this.
    verdicts : {"none", "final", "polished"}
        Whether to `classify` the last network of each run, or what `polish` makes of it.
    keep_networks : bool
        Whether to keep the final parameters.
    precision : {"float64", "float32"}
        Of the descent; "float32" on CUDA only. Risks are exact either way.
    seed : int
    name : str
        For people; it changes no number.

    Raises
    ------
    InputError
        If a value is wrong, given twice, or does not go with another.
    FileError
        If a file of data cannot be read or has changed.

    Examples
    --------
    >>> study = Study(
    ...     problems={"tent": {"kind": "piecewise linear", "x": [0, 0.5, 1], "y": [0.5, 0, 0.5]}},
    ...     widths=[2, 4], starts=100, step_sizes=[0.05], steps=20_000, success=1e-4,
    ... )
    >>> print(study)
    study of 200 runs: 1 problem, 2 widths, 100 starts, 20,000 steps
    >>> Study.from_description(study.describe()).digest == study.digest
    True
    """

    problems: Mapping[str, Problem | Table]
    widths: Sequence[int]
    starts: int
    step_sizes: Sequence[float]
    steps: int
    initialisations: Sequence[str | Table | Initialisation] = ("normal",)
    activations: Sequence[str | float | Activation] = ("relu",)
    optimisers: Sequence[str | Table | Optimiser] = ("gd",)
    skip: bool = False
    at_zero: Literal["gt", "ge"] = "gt"
    records: int | Sequence[int] | None = None
    thresholds: Sequence[float] | Mapping[str, Sequence[float]] = ()
    monitor_every: int = 100
    success: float | Mapping[str, float] = 1e-6
    verdicts: Literal["none", "final", "polished"] = "none"
    keep_networks: bool = False
    precision: Literal["float64", "float32"] = "float64"
    seed: int = 0
    name: str = ""
    built: Mapping[str, Problem] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check all values and keep them in one plain form."""
        for key, value in settings.plain(self).items():
            object.__setattr__(self, key, value)
        self._check_batches()

    def _check_batches(self) -> None:
        """Refuse batches of what is no data."""
        batches = any(isinstance(rule, StochasticGradientDescent) for rule in self.rules)
        without = [name for name, problem in self.built.items() if isinstance(problem, Interval)]
        if batches and without:
            raise InputError(
                f'the optimiser "sgd" takes batches of data, and the problem {without[0]!r} has '
                "none: it is an integral over an interval; study it with other optimisers."
            )

    @property
    def starts_by(self) -> tuple[Initialisation, ...]:
        """The ways to start."""
        return cast("tuple[Initialisation, ...]", self.initialisations)

    @property
    def rules(self) -> tuple[Optimiser, ...]:
        """The rules of descent."""
        return cast("tuple[Optimiser, ...]", self.optimisers)

    @property
    def bends(self) -> tuple[Activation, ...]:
        """The activations."""
        return cast("tuple[Activation, ...]", self.activations)

    @property
    def recorded(self) -> tuple[int, ...]:
        """The steps at which risks are kept."""
        return cast("tuple[int, ...]", self.records)

    @property
    def waited_for(self) -> tuple[float, ...]:
        """All thresholds of all problems, decreasing."""
        rows = cast("Mapping[str, tuple[float, ...]]", self.thresholds)
        return tuple(sorted({risk for row in rows.values() for risk in row}, reverse=True))

    def success_of(self, problem: str) -> float:
        """Return the risk up to which runs on a problem have succeeded."""
        return cast("Mapping[str, float]", self.success)[problem]

    @cached_property
    def plateaus(self) -> int:
        """The number of levels of which arrival and departure are kept, for the widest networks."""
        from reluscape.studies.plateaus import MOST_WATCHED, levels_of

        most = max(
            len(levels_of(problem, max(self.widths), activation.slope, skip=self.skip))
            for problem in self.built.values()
            for activation in self.bends
        )
        return min(most, MOST_WATCHED)

    @cached_property
    def plan(self) -> Plan:
        """The work, cut into chunks."""
        from reluscape.studies.plan import Plan

        return Plan(self)

    def describe(self) -> dict[str, object]:
        """Return all of it in plain values: texts, numbers, lists and tables.

        Returns
        -------
        dict
            It goes through JSON without loss, and `from_description` reads it.
        """
        from reluscape.studies.description import describe

        return describe(self)

    @classmethod
    def from_description(cls, description: Table) -> Study:
        """Return the study that `describe` described.

        Parameters
        ----------
        description : mapping

        Returns
        -------
        Study

        Raises
        ------
        InputError
            If it is of another format, has unknown keys, or wrong values.
        """
        from reluscape.studies.description import checked

        return cls.from_table(checked(description))

    @classmethod
    def from_table(cls, table: Table, base: Path | None = None) -> Study:
        """Return the study that a table of its parameters describes, as TOML holds it.

        Parameters
        ----------
        table : mapping
        base : Path, optional
            The folder that the paths of files are relative to.

        Returns
        -------
        Study

        Raises
        ------
        InputError
            If a key is unknown or missing, or a value wrong.
        """
        known = [entry.name for entry in fields(cls) if entry.init]
        check_keys("the study", table, known[:_NEEDED], known[_NEEDED:])
        values = dict(table)
        if base is not None and isinstance(table["problems"], Mapping):
            problems = cast("Mapping[str, object]", table["problems"])
            values["problems"] = {name: located(p, base) for name, p in problems.items()}
        return cls(**values)  # pyright: ignore[reportArgumentType]

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> Study:
        """Read a study from a TOML file.

        Parameters
        ----------
        path : str or path-like
            Its keys are the parameters of this class; problems are tables `[problems.NAME]`. Paths
            of data are relative to its folder.

        Returns
        -------
        Study

        Raises
        ------
        FileError
            If the file cannot be read, or is not TOML.
        InputError
            If a key is unknown or missing, or a value wrong.
        """
        from reluscape.studies.toml_text import read_toml

        return cls.from_table(read_toml(path), Path(path).absolute().parent)

    def to_toml(self) -> str:
        """Return the text of a TOML file that `from_toml` reads as the same study.

        Returns
        -------
        str
        """
        from reluscape.studies.toml_text import toml_text

        return toml_text({key: v for key, v in self.describe().items() if key != "format"})

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all that has a say in the numbers, in hexadecimal.

        The name has none, nor has the place of a file, whose data are hashed.
        """
        from reluscape.studies.description import digest

        return digest(self)

    def run(
        self,
        store: str | os.PathLike[str] | None = None,
        engine: Literal["inline", "processes", "dask"] = "processes",
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        cluster: str | os.PathLike[str] | None = None,
        progress: Callable[[str, float], None] | bool | None = None,
        device: Literal["cpu", "cuda"] | None = None,
    ) -> StudyResult:
        """Run what is not done yet.

        Parameters
        ----------
        store : str or path-like, optional
            A directory in which results land chunk by chunk; a study that was stopped goes on from
            there. Without it results stay in memory.
        engine : {"inline", "processes", "dask"}
            In this process, in processes of this machine, or by Dask. No engine changes a number.
        workers : int, optional
            Processes, default all processors.
        scheduler : str, optional
            Address of a Dask scheduler; default: a cluster on this machine.
        cluster : str or path-like, optional
            TOML file that describes a Slurm cluster.
        progress : callable (message, fraction) or bool, optional
            What is told how far it is; True for a bar, False for none; default: a bar on a
            terminal or in a notebook.
        device : {"cpu", "cuda"}, optional
            Default: the one that the precision asks for.

        Returns
        -------
        StudyResult

        Raises
        ------
        InputError
            If the results need more memory than there is, or options do not go together.
        FileError
            If the store holds another study.

        Examples
        --------
        >>> line = {"kind": "affine", "alpha": 1, "beta": 0, "interval": [0, 1]}
        >>> study = Study({"line": line}, [1], 4, [0.1], 5)
        >>> study.run(engine="inline").dataset["risk"].shape
        (1, 1, 1, 1, 1, 1, 4)
        """
        from reluscape.studies.running import run_study

        return run_study(
            self,
            store,
            engine,
            workers=workers,
            scheduler=scheduler,
            cluster=cluster,
            progress=progress,
            device=device,
        )

    def __str__(self) -> str:
        """Say how large it is."""
        sizes = zip(_AXES, self.plan.shape, strict=True)
        many = [f"{n} {name}{'s' * (n > 1)}" for name, n in sizes if n > 1 or name == "problem"]
        label = f"study {self.name!r}" if self.name else "study"
        runs = f"{self.starts:,} starts, {self.steps:,} steps"
        return f"{label} of {self.plan.runs:,} runs: {', '.join(many)}, {runs}"
