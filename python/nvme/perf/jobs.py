"""From a command line and job files of fio's to the jobs that they describe."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from nvme.command_line import UsageError
from nvme.perf import options
from nvme.perf.options import Job

GLOBAL = "global"
JOB_FILES = (".fio", ".ini", ".job")
#: Job files that include each other end here.
INCLUDES_MAX = 16


class Setting(NamedTuple):
    """An option as it was written; `where` in a file, or ""."""

    name: str
    text: str
    where: str = ""


@dataclass
class Section:
    """A job, or "global", and its options."""

    name: str
    settings: list[Setting] = field(default_factory=list)


@dataclass
class Run:
    """All that was asked for."""

    jobs: list[Job] = field(default_factory=list)
    output: str | None = None
    output_format: str = "normal"
    log: str | None = None
    section: str | None = None
    #: What is to be said about it, once.
    notes: list[str] = field(default_factory=list)


# --- the command line ---


def _canonical(word: str) -> tuple[str, str | None]:
    """Name and value of "--name=value"; fio takes one dash, too, and - for _."""
    name, equals, text = word.lstrip("-").partition("=")
    return name.replace("-", "_"), text if equals else None


def _split(argv: Sequence[str]) -> tuple[list[Setting], list[str]]:
    """Options, and the words between them."""
    settings, words = [], []
    left = list(argv)
    while left:
        word = left.pop(0)
        if word == "--":
            words += left
            break
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        name, text = _canonical(word)
        options.check_name(name)
        if text is None and options.is_flag(name):
            text = "1"
        elif text is None and name == "verify":
            known = left and left[0].lower() in options.VERIFY
            text = left.pop(0) if known else options.OWN_VERIFY
        elif text is None:
            if not left:
                options.check_offered(name, None)
                raise UsageError(f"{word} needs a value")
            text = left.pop(0)
        options.check_offered(name, text)
        settings.append(Setting(name, text))
    return settings, words


def _sections(settings: list[Setting]) -> list[Section]:
    """What stands before the first --name is everybody's."""
    sections = [Section(GLOBAL)]
    for setting in settings:
        if setting.name == "name":
            sections.append(Section(setting.text))
        else:
            sections[-1].settings.append(setting)
    return sections


# --- job files ---


def _lines(path: Path, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Lines with a meaning, those of included files too, and where they stand."""
    if depth > INCLUDES_MAX:
        raise UsageError(f"{path}: includes itself")
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not a text"
        raise UsageError(f"{path}: {why}") from None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        included = re.match(r"include\s+(.+)$", line)
        if included:
            yield from _lines(path.parent / included[1], depth + 1)
        elif line and line[0] not in "#;":
            yield line, f"{path} line {number}: "


def _keywords(text: str) -> str:
    """Variables of the environment, and fio's own."""
    text = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], ""), text)
    own = {"$pagesize": os.sysconf("SC_PAGE_SIZE"), "$ncpus": os.cpu_count() or 1}
    for keyword, value in own.items():
        text = text.replace(keyword, str(value))
    return text


def _file_sections(path: Path) -> list[Section]:
    sections: list[Section] = []
    for line, where in _lines(path):
        heading = re.match(r"\[(.*)\]\s*(?:[#;].*)?$", line)
        if heading:
            sections.append(Section(heading[1]))
            continue
        if not sections:
            raise UsageError(f"{where}an option before the first [section]")
        name, equals, text = (part.strip() for part in line.partition("="))
        name = name.replace("-", "_")
        try:
            options.check_name(name)
            options.check_offered(name, text)
            if name in options.RUN_OPTIONS:
                raise UsageError(f"{name} belongs on the command line")
            if not equals and not options.is_flag(name) and not options.is_ignored(name):
                raise UsageError(f"{name} needs a value")
        except UsageError as error:
            raise UsageError(f"{where}{error}") from None
        sections[-1].settings.append(Setting(name, _keywords(text) if equals else "1", where))
    if not any(section.name != GLOBAL for section in sections):
        raise UsageError(f"{path}: there is no job in it, as in [my job]")
    return sections


# --- jobs ---


class _Maker:
    """Makes jobs out of sections, and collects what is to be said of them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.ignored: dict[str, None] = {}

    def values(self, settings: Sequence[Setting]) -> tuple[dict[str, Any], dict[str, str]]:
        """Fields of a Job, and the options as they were written."""
        found: dict[str, Any] = {}
        given: dict[str, str] = {}
        for name, text, where in settings:
            if options.is_ignored(name):
                self.ignored[name] = None
                continue
            try:
                found |= options.value_of(name, text)
            except UsageError as error:
                raise UsageError(f"{where}{error}") from None
            given[name] = text
        return found, given

    def job(self, name: str, group: int, *layers: Sequence[Setting], **defaults: Any) -> Job:
        """A job; a later layer wins."""
        settings = [setting for layer in layers for setting in layer]
        found, given = self.values(settings)
        job = Job(**{**defaults, "name": name, **found}, given=given, group=group)
        if job.depth != job.iodepth and job.iodepth > 1:
            self.note(f"--ioengine {job.ioengine} has one command in flight: --iodepth is 1")
        elif job.ioengine:
            self.ignored["ioengine"] = None
        if job.verified and job.verify not in ("1", options.OWN_VERIFY):
            self.note(f"--verify {job.verify}: data are checked by CRC32C, LBA number and token")
        self.run.jobs.append(job)
        return job

    def note(self, text: str) -> None:
        """Something to be said once."""
        if text not in self.run.notes:
            self.run.notes.append(text)

    def all_of(
        self, sections: list[Section], winning: Sequence[Setting] = (), **defaults: Any
    ) -> None:
        """The jobs of a file, or of the command line."""
        common: list[Setting] = []
        group = self.run.jobs[-1].group + 1 if self.run.jobs else 0
        made = 0
        for section in sections:
            if section.name == GLOBAL:
                common += section.settings
                continue
            if self.run.section not in (None, section.name):
                continue
            job = self.job(section.name, group, common, section.settings, winning, **defaults)
            if job.stonewall and made:
                group += 1
                job.group = group
            made += 1


def _is_file(word: str) -> bool:
    """A job file, not the address of a device."""
    if word == "sim" or word.startswith("sim:"):
        return False
    return word.endswith(JOB_FILES) or Path(word).is_file()


def run_of(argv: Sequence[str]) -> Run:
    """All that a command line asks for; UsageError."""
    settings, words = _split(argv)
    run = Run()
    for setting in settings:
        if setting.name in options.RUN_OPTIONS:
            for name, value in options.value_of(setting.name, setting.text).items():
                setattr(run, name, value)
    settings = [setting for setting in settings if setting.name not in options.RUN_OPTIONS]
    files = [word for word in words if _is_file(word)]
    devices = [word for word in words if word not in files]
    if len(devices) > 1:
        raise UsageError(f"more than one device: {' '.join(devices)}")
    winning = [Setting("filename", device) for device in devices]
    sections = _sections(settings)
    maker = _Maker(run)
    if files:
        if len(sections) > 1:
            raise UsageError("--name begins a job; beside a job file there is none")
        for file in files:
            maker.all_of(
                _file_sections(Path(file)),
                sections[0].settings + winning,
                **options.FILE_DEFAULTS,
            )
    else:
        if all(section.name == GLOBAL for section in sections):
            sections.append(Section(Job.name))
        maker.all_of(sections, winning)
    if not run.jobs:
        raise UsageError(f"--section: there is no job {run.section!r}")
    if maker.ignored:
        maker.note(f"without meaning here, and ignored: {', '.join(maker.ignored)}")
    return run
