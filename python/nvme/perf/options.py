"""The options of ``pynvme perf``: names, units and defaults are fio's where it has them."""

from __future__ import annotations

import argparse
import difflib
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from nvme.command_line import EXIT_CODES, Parser, UsageError
from nvme.perf import values
from nvme.perf.values import Amount, Blocks

OPCODE_WRITE, OPCODE_READ, OPCODE_DSM = 1, 2, 9

#: Access patterns: random or not, and the percentages of reads and writes (the rest is trimmed).
PATTERNS = {
    "read": (False, 100, 0),
    "write": (False, 0, 100),
    "rw": (False, -1, -1),
    "readwrite": (False, -1, -1),
    "trim": (False, 0, 0),
    "randread": (True, 100, 0),
    "randwrite": (True, 0, 100),
    "randrw": (True, -1, -1),
    "randtrim": (True, 0, 0),
}
#: fio's ways to verify. There is one here: it takes the place of all but the two that do nothing.
OWN_VERIFY = "crc32c"
NO_VERIFY = ("0", "null")
VERIFY = (
    OWN_VERIFY, *NO_VERIFY, "1", "meta", "md5", "crc64", "crc32c-intel", "crc32", "crc16", "crc7",
    "xxhash", "sha1", "sha256", "sha512", "sha3-224", "sha3-256", "sha3-384", "sha3-512",
)  # fmt: skip
#: fio's engines that have one command in flight, whatever iodepth says.
SYNCHRONOUS = ("sync", "psync", "vsync", "pvsync", "pvsync2", "mmap")

#: Options of fio about files, page cache, processes and its own clocks: without meaning here.
IGNORED_VALUES = frozenset(
    """
    allow_file_create allow_mounted_write allrandrepeat buffered clat_percentiles clocksource
    cpus_allowed_policy create_fsync create_on_open create_serialize description direct
    directory disable_bw_measurement disable_clat disable_lat disable_slat end_fsync eta
    exitall_on_error fadvise_hint fallocate file_service_type filename_format fixedbufs
    fsync_on_close gtod_cpu gtod_reduce hipri invalidate iodepth_batch iodepth_batch_complete
    iodepth_batch_complete_max iodepth_batch_complete_min iodepth_batch_submit iodepth_low iomem
    ioscheduler lat_percentiles lockmem log_avg_msec log_hist_msec log_max_value log_offset
    max_jobs mem mem_align nice nonvectored norandommap nrfiles numa_cpu_nodes numa_mem_policy
    openfiles overwrite per_job_logs percentile_list pre_read prio prioclass random_generator
    randrepeat refill_buffers registerfiles scramble_buffers serialize_overlap
    significant_figures slat_percentiles softrandommap sqthread_poll stats status_interval
    uncached unique_filename unlink unlink_each_loop verify_async verify_backlog
    verify_backlog_batch verify_dump verify_fatal verify_interval verify_state_load
    verify_state_save zero_buffers
    """.split()  # noqa: SIM905
)
IGNORED_FLAGS = frozenset(("thread", "bandwidth_log", "latency_log", "eta_newline"))
#: Options of fio that would change what is measured, and are not offered.
NOT_OFFERED = frozenset(
    """
    append_terse ba blockalign blocksize_unaligned bs_unaligned buffer_compress_chunk
    buffer_compress_percentage buffer_pattern client cmdprio cmdprio_percentage cpumask
    dedupe_percentage end_syncfs exitall experimental_verify fdatasync filesize flow fsync
    iodepth_mode kb_base latency_percentile latency_target latency_window max_latency minimal
    new_group opendir rate_cycle rate_iops_min rate_min rate_process read_iolog replay_no_stall
    rwmixcycle startdelay steadystate sync sync_file_range terse_version thinktime
    thinktime_blocks thinktime_iotime thinktime_spin trim_percentage unified_rw_reporting
    unit_base verify_offset verify_only verify_pattern write_barrier write_bw_log write_hist_log
    write_iolog write_iops_log write_lat_log zonemode zonerange zonesize zoneskip
    """.split()  # noqa: SIM905
)
#: Values of theirs that are as if they were not there.
SWITCHED_OFF = ("0", "none", "1024")


@dataclass
class Job:
    """What one job is to do: the values of its options."""

    name: str = "perf"
    filename: str = "sim"
    nsid: int = 1
    rw: str = "randread"
    rwmixread: int = 50
    percentage_random: int | None = None
    bs: Blocks = ({4096: 1},) * 3
    bsrange: Blocks | None = None
    bssplit: Blocks | None = None
    iodepth: int = 32
    ioengine: str = ""
    numjobs: int = 1
    runtime: float | None = None
    time_based: bool = False
    ramp_time: float = 0.0
    number_ios: int = 0
    loops: int = 1
    size: Amount = field(default_factory=Amount)
    io_size: Amount = field(default_factory=Amount)
    offset: Amount = field(default_factory=Amount)
    offset_increment: Amount = field(default_factory=Amount)
    rate_iops: float = 0.0
    rate: float = 0.0
    verify: str = "0"
    do_verify: bool = True
    randseed: int | None = None
    cpus_allowed: list[int] = field(default_factory=list)
    group_reporting: bool = False
    stonewall: bool = False
    #: As the user wrote them, and the job's number among the groups that run one after the other.
    given: dict[str, str] = field(default_factory=dict)
    group: int = 0

    def word(self, name: str) -> str:
        """The option as the user wrote it, if they did; it may have a second name."""
        names = next(row.names for row in OPTIONS if row.names[0] == name)
        return f"--{next((one for one in names if one in self.given), name)}"

    @property
    def verified(self) -> bool:
        """Whether data are to be checked."""
        return self.verify not in NO_VERIFY

    @property
    def mix(self) -> dict[int, int]:
        """Per cent of each opcode."""
        _, reads, writes = PATTERNS[self.rw]
        if reads < 0:
            reads, writes = self.rwmixread, 100 - self.rwmixread
        mix = {OPCODE_READ: reads, OPCODE_WRITE: writes, OPCODE_DSM: 100 - reads - writes}
        return {opcode: percent for opcode, percent in mix.items() if percent}

    @property
    def random_percent(self) -> int:
        """How many of its commands go anywhere; the others follow each other."""
        if not PATTERNS[self.rw][0]:
            return 0
        return 100 if self.percentage_random is None else self.percentage_random

    @property
    def depth(self) -> int:
        """Commands in flight."""
        return 1 if self.ioengine in SYNCHRONOUS else self.iodepth


class Option(NamedTuple):
    """A row of the table."""

    names: tuple[str, ...]
    parse: Any
    metavar: str
    default: str  # for the help
    help: str
    choices: tuple[str, ...] | None = None


def _text(text: str) -> str:
    return text


OPTIONS = (
    Option(("name",), _text, "NAME", "perf", "name of a job, which begins here, in reports"),
    Option(("filename",), _text, "ADDRESS", "sim", "the device, as above"),
    Option(("nsid",), values.count_of(1, 0xFFFFFFFE), "N", "1", "namespace"),
    Option(("rw", "readwrite"), str.lower, "PATTERN", "randread, and read in a job file",
           f"one of {', '.join(PATTERNS)}", tuple(PATTERNS)),
    Option(("rwmixread",), values.count_of(0, 100), "PERCENT", "50", "reads in rw and randrw"),
    Option(("rwmixwrite",), values.count_of(0, 100), "PERCENT", "50", "writes in rw and randrw"),
    Option(("percentage_random",), values.count_of(0, 100), "PERCENT", "100",
           "of a random pattern; the other commands are sequential"),
    Option(("bs", "blocksize"), values.blocks_of, "SIZE", "4k",
           "bytes a command; or READ,WRITE,TRIM"),
    Option(("bsrange", "blocksize_range"), values.ranges_of, "LOW-HIGH", "",
           "multiples of LOW up to HIGH bytes, equally often"),
    Option(("bssplit",), values.splits_of, "SIZE/PERCENT:...", "",
           "block sizes and how often they come, as in 4k/60:64k/40"),
    Option(("iodepth",), values.count_of(1, 1023), "N", "32, and 1 in a job file",
           "commands in flight, of each job"),
    Option(("numjobs",), values.count_of(1, 65535), "N", "1", "workers, with a queue pair each"),
    Option(("runtime", "timeout"), values.seconds_of, "TIME",
           "10 s, unless --size or --number_ios ends it", "the run ends after it at the latest"),
    Option(("time_based",), values.flag_of, "", "", "--size does not end the run, --runtime does"),
    Option(("ramp_time",), values.seconds_of, "TIME", "0",
           "the same load runs before, for so long, and is not counted"),
    Option(("number_ios",), values.count_of(0, values.BYTES_MAX), "N", "0: no limit",
           "commands of each job"),
    Option(("loops",), values.count_of(1, 1 << 20), "N", "1", "--size bytes, so many times"),
    Option(("size",), values.amount_of, "SIZE", "0: all",
           "part of the device to use, which ends the run once so many bytes have been moved; "
           "random blocks may come more than once and others not at all"),
    Option(("io_size", "io_limit"), values.amount_of, "SIZE", "--size",
           "bytes to move, when that is not --size"),
    Option(("offset",), values.amount_of, "SIZE", "0",
           "where the part begins, rounded up to a multiple of the block size"),
    Option(("offset_increment",), values.amount_of, "SIZE", "0",
           "added for every further worker of the job"),
    Option(("rate_iops",), values.rate_of, "N", "0: no limit", "commands a second, of each job"),
    Option(("rate",), values.rate_of, "SIZE", "0: no limit", "bytes a second, of each job"),
    Option(("verify",), str.lower, "WAY", "0",
           "check the data: every read against what this run wrote; and once the jobs of the group "
           "have ended, read all that they wrote (of a random mix all of --size) and check it, "
           "too. LBAs in flight are locked. Whatever WAY of fio's is given, CRC32C, LBA number "
           "and a token are compared; 0: no", VERIFY),
    Option(("do_verify",), values.flag_of, "0|1", "1", "0: no reading back"),
    Option(("randseed",), values.count_of(0, (1 << 63) - 1), "N", "another one each time",
           "the same number gives the same commands"),
    Option(("cpus_allowed",), values.cpus_of, "LIST", "one for each worker while there are enough",
           "CPUs like 0-3,6: the first worker of a job runs on the first of them, and so on"),
    Option(("group_reporting",), values.flag_of, "", "", "one report for all jobs of a group"),
    Option(("stonewall", "wait_for_previous"), values.flag_of, "", "",
           "the job begins a new group, which waits for the end of all before it"),
    Option(("ioengine",), _text, "ENGINE", "",
           "fio's synchronous ones mean --iodepth 1; the others mean nothing here"),
)  # fmt: skip
#: Options that need no value on the command line.
FLAGS = frozenset(("time_based", "group_reporting", "stonewall", "wait_for_previous"))
#: fio's defaults where the command line has others.
FILE_DEFAULTS = {"rw": "read", "iodepth": 1}

DESCRIPTION = """\
Benchmark a device. Writes and trims DESTROY THE DATA on it.

DEVICE is 01:00.0, or sim:OPTIONS ('pynvme sim' lists them); without it, the software SSD. It stands
in for every --filename. JOBFILE is a job file of fio's. Options of the command line win over those
of the file; after --name=JOB they are that job's, after --name=global those of all that follow.
Sizes know the suffixes k, m, g, t (of 1,024) and, of the device, %; times ms, s, m, h, d."""


class JobParser(Parser):
    """Its errors are exceptions: job files add the line that they are about."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message.removeprefix("argument "))


def parser() -> argparse.ArgumentParser:
    """The parser of one option at a time, and of the help."""
    ignored = sorted(IGNORED_VALUES | IGNORED_FLAGS)
    made = JobParser(
        prog="pynvme perf",
        usage="pynvme perf [DEVICE] [JOBFILE...] [--OPTION[=VALUE]...]",
        description=DESCRIPTION,
        epilog=f"{EXIT_CODES}.\n\nAccepted, but without meaning here: {', '.join(ignored)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for option in OPTIONS:
        default = f" (default: {option.default})" if option.default else ""
        made.add_argument(
            *(f"--{name}" for name in option.names),
            type=option.parse,
            choices=option.choices,
            metavar=option.metavar or "0|1",
            default=argparse.SUPPRESS,
            help=f"{option.help}{default}".replace("%", "%%"),
        )
    made.add_argument("--output", metavar="FILE", help="of the report (default: standard output)")
    made.add_argument(
        "--output-format", choices=("normal", "json", "json+"), default="normal",
        help="json is fio's, json+ adds all latencies (default: %(default)s)",
    )  # fmt: skip
    made.add_argument("--log", metavar="FILE", help="CSV file of IOPS by job and second")
    made.add_argument("--section", metavar="NAME", help="of a job file: run only this one")
    return made


#: Options of the run as a whole, not of a job.
RUN_OPTIONS = ("output", "output_format", "log", "section")
JOB_OPTIONS = frozenset(name for option in OPTIONS for name in option.names)
_PARSER = parser()


def known() -> str:
    """All names with a meaning, for messages."""
    return ", ".join(sorted(f"--{name}" for name in (*JOB_OPTIONS, *RUN_OPTIONS)))


def check_offered(name: str, text: str | None) -> None:
    """UsageError for an option of fio that would do something, and cannot be had."""
    if name in NOT_OFFERED and text not in SWITCHED_OFF:
        raise UsageError(f"--{name} of fio is not offered here; without it the rest would run")


def check_name(name: str) -> None:
    """UsageError for an option that there is not."""
    everything = (*JOB_OPTIONS, *RUN_OPTIONS, *IGNORED_VALUES, *IGNORED_FLAGS)
    if name in everything or name in NOT_OFFERED:
        return
    near = difflib.get_close_matches(name, everything, 1)
    hint = f"did you mean --{near[0]}? " if near else ""
    raise UsageError(f"unknown option --{name}: {hint}known are {known()}")


def is_flag(name: str) -> bool:
    """Whether it needs no value."""
    return name in FLAGS or name in IGNORED_FLAGS


def is_ignored(name: str) -> bool:
    """Whether it has no meaning here."""
    return name in IGNORED_VALUES or name in IGNORED_FLAGS or name in NOT_OFFERED


def value_of(name: str, text: str) -> dict[str, Any]:
    """The field of a Job that an option sets, and its value; UsageError with the user's words."""
    option = name.replace("_", "-") if name in RUN_OPTIONS else name
    argument = f"--{option}={text}"
    parsed = vars(_PARSER.parse_args([argument]))
    if name in RUN_OPTIONS:
        return {name: parsed[name]}
    for row in OPTIONS:
        if name in row.names:
            return _field(row.names[0], parsed[row.names[0]])
    raise UsageError(f"unknown option --{name}")


def _field(name: str, value: Any) -> dict[str, Any]:
    if name == "rwmixwrite":
        return {"rwmixread": 100 - value}
    if name == "filename":
        return {name: value.replace("\\:", ":")}
    return {name: value}
