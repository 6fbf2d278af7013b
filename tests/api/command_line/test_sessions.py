"""``pynvme cmdlog``: whose logs it finds, and which of them it prints."""

import os
import subprocess
import sys

import pytest

import nvme as d
from nvme import _core, cli

OLD, NEW, NEWEST = 1, 2, 3


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A folder of logs; makes copies of a real one, by user, process and age."""
    nvme0 = d.Controller("sim:size=16M")
    nvme0.getfeatures(7).waitdone()
    with open(_core.cmdlog_path(), "rb") as file:
        image = file.read()
    monkeypatch.setenv("PYNVME_CMDLOG_DIR", str(tmp_path))
    monkeypatch.delenv("SUDO_UID", raising=False)

    def log(pid, age, user=None):
        user = os.getuid() if user is None else user
        path = tmp_path / f"pynvme-{user}-{pid}-777.cmdlog"
        path.write_bytes(image)
        os.utime(path, (age, age))
        return path

    return log


def printed(capsys, *argv, code=0):
    assert cli.main(["cmdlog", *argv]) == code
    return "".join(capsys.readouterr())


def test_the_newest_of_ones_own_is_printed(shared, capsys):
    shared(11, OLD)
    path = shared(12, NEW)

    assert str(path) in printed(capsys)


def test_sessions_of_others_are_left_alone(shared, capsys):
    path = shared(11, OLD)
    shared(12, NEWEST, user=os.getuid() + 1)

    assert str(path) in printed(capsys)
    assert "known are 11\n" in printed(capsys, "12", code=2)


def test_with_sudo_they_are_the_callers(shared, capsys, monkeypatch):
    if os.geteuid():
        pytest.skip("not root")
    shared(11, NEWEST)
    path = shared(12, OLD, user=4321)
    os.chown(path, 4321, -1)
    monkeypatch.setenv("SUDO_UID", "4321")

    assert str(path) in printed(capsys)


def test_a_file_that_somebody_else_put_there_is_not_taken(shared, capsys):
    if os.geteuid():
        pytest.skip("not root")
    path = shared(11, OLD)
    os.chown(shared(12, NEWEST), 4321, -1)

    assert str(path) in printed(capsys)


def test_links_and_folders_are_not_taken(shared, capsys, tmp_path):
    path = shared(11, OLD)
    user = os.getuid()
    (tmp_path / f"pynvme-{user}-12-1.cmdlog").symlink_to("nowhere")
    (tmp_path / f"pynvme-{user}-13-1.cmdlog").symlink_to(path)
    (tmp_path / f"pynvme-{user}-14-1.cmdlog").mkdir()
    (tmp_path / "pynvme-x.cmdlog").write_bytes(b"")

    assert f"{path}: process " in printed(capsys)


def test_a_process_is_chosen_by_its_number(shared, capsys):
    path = shared(11, OLD)
    shared(12, NEW)
    shared(111, NEWEST)

    assert str(path) in printed(capsys, "11")


def test_the_list_has_all_of_ones_own_newest_first(shared, capsys):
    for pid, age in ((11, OLD), (12, NEWEST), (13, NEW)):
        shared(pid, age)
    shared(14, NEWEST, user=os.getuid() + 1)

    lines = printed(capsys, "--list").splitlines()

    assert [line.split("pynvme-")[1].split("-")[1] for line in lines] == ["12", "13", "11"]
    assert all(f"{os.getpid()}  running " in line and "sim:size=16M" in line for line in lines)


def test_a_log_that_cannot_be_read_hides_no_other(shared, capsys):
    shared(11, NEW).write_bytes(b"nonsense")
    shared(12, OLD)

    lines = printed(capsys, "--list").splitlines()

    assert len(lines) == 2
    assert "unreadable" in "".join(lines)


def test_where_there_is_none_it_is_said(shared, capsys):
    user = os.getuid()

    assert f"no command log of user {user} in" in printed(capsys, code=2)
    assert f"no command log of user {user} in" in printed(capsys, "--list")
    assert "known are none" in printed(capsys, "11", code=2)


def test_a_folder_that_is_missing_is_one_line(monkeypatch, capsys):
    monkeypatch.setenv("PYNVME_CMDLOG_DIR", "/nowhere/at/all")

    assert printed(capsys, code=2) == (
        "pynvme cmdlog: /nowhere/at/all: No such file or directory\n"
    )


def test_a_file_that_is_no_log_is_one_line(tmp_path, capsys):
    line = printed(capsys, str(tmp_path / "missing.cmdlog"), code=2)

    assert line.startswith("pynvme cmdlog: ")
    assert "missing.cmdlog" in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(("count", "shown"), [("1", 1), ("2", 2), ("0", 5)])
def test_so_many_commands_of_each_queue_are_shown(capsys, count, shown):
    nvme0 = d.Controller("sim:size=16M,sn=COUNTED")
    for _ in range(5):
        nvme0.getfeatures(7).waitdone()

    _, _, ours = printed(capsys, _core.cmdlog_path(), "-n", count).rpartition("sn=COUNTED qpair 0")
    lines = ours.split(" qpair ")[0].count("Get Features")

    assert lines == shown


def test_a_session_that_ended_is_still_there(tmp_path):
    """Written by one process, printed by another."""
    environment = {**os.environ, "PYNVME_CMDLOG_DIR": str(tmp_path)}
    environment.pop("SUDO_UID", None)
    script = "import nvme as d, os; d.Controller('sim'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script], env=environment, timeout=60)

    done = subprocess.run(
        [sys.executable, "-m", "nvme.cli", "cmdlog"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert ", gone\n" in done.stdout
    assert "sim qpair 0" in done.stdout
