"""Each fault of the software SSD, on an admin command: what the driver makes of it.

On IO commands: test_events.py, and test_verify_faults.py for those that corrupt data.
"""

import itertools
import warnings

import pytest

import nvme as d
from nvme.software_ssd import ACTIONS

GET_FEATURES = 0x0A
LOST = "drive timeout: 0.2 sec, qpair: 0, cid: "


@pytest.fixture
def hasty(own):
    """A controller of the test's own that waits no longer than it must."""
    own.timeout = 200
    return own


def warned(nvme, action, error, **needs):
    """The warnings of one Get Features with this fault, which must end in `error`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with d.sim(nvme).fault(action, admin=True, opcode=GET_FEATURES, times=1, **needs) as rule:
            nvme.getfeatures(7)
            if error:
                with pytest.raises(error):
                    nvme.waitdone()
            else:
                nvme.waitdone()
            assert rule.hits == 1
    return " | ".join(str(w.message) for w in caught)


def assert_works(nvme):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nvme.identify(d.Buffer()).waitdone()


def test_a_status(hasty):
    assert "ERROR status: 01/0d" in warned(hasty, "status", None, status=0x10D)
    assert_works(hasty)


@pytest.mark.parametrize("admin", [None, False, True])
def test_a_fault_says_which_queues_it_is_for(own, admin):
    ssd = d.sim(own)
    with ssd.fault(opcode=9, admin=admin, delay=1):
        (fault,) = ssd.faults

        assert fault.admin is admin


def test_a_delay(hasty):
    assert LOST in warned(hasty, "delay", None, delay=0.5)
    assert_works(hasty)


def test_a_completion_twice(hasty, recwarn):
    with d.sim(hasty).fault("duplicate", admin=True, opcode=GET_FEATURES, times=1):
        hasty.getfeatures(7).waitdone()
        hasty.getfeatures(7).waitdone()

    said = [str(w.message) for w in recwarn]
    assert any("device error: completion of a command that is not" in text for text in said)
    assert_works(hasty)


@pytest.mark.parametrize(
    ("action", "needs", "said"),
    [
        ("wrong_cid", {"value": 0x1234}, "cid: 4660"),
        ("wrong_sqid", {"value": 9}, "device error: completion that names another"),
        ("no_phase", {}, LOST),
        ("drop", {}, LOST),
    ],
)
def test_an_answer_that_never_arrives(hasty, action, needs, said):
    text = warned(hasty, action, TimeoutError, **needs)

    assert said in text
    assert LOST in text
    hasty.reset()
    assert_works(hasty)


def test_a_fatal_status(hasty):
    assert "fatal" in warned(hasty, "fatal", (SystemError, TimeoutError))
    hasty.reset()
    assert_works(hasty)


@pytest.mark.parametrize("action", ["remove", "power"])
def test_a_device_that_is_gone(hasty, action):
    assert "gone" in warned(hasty, action, SystemError)
    with pytest.raises(SystemError):
        hasty[0x1C]
    if action == "power":
        d.sim(hasty).power(True)
        assert_works(hasty)


@pytest.mark.parametrize(
    "delay", [float("nan"), float("inf"), -1, 1e12, pytest.param(10**400, id="huge"), "1"]
)
def test_a_delay_of_what_is_no_time_is_an_error(own, delay):
    with (
        pytest.raises((ValueError, TypeError), match="^delay "),
        d.sim(own).fault("delay", delay=delay),
    ):
        pass
    assert not d.sim(own).faults


def test_a_rule_is_listed_as_it_was_given(own):
    given = {
        "nsid": 1,
        "slba": 1 << 40,
        "nlb": 3,
        "nth": 1 << 30,
        "times": 5,
        "probability": 0.25,
        "status": 0x281,
        "delay": 0.5,
        "value": 6,
    }
    for action, admin, opcode in itertools.product(ACTIONS, (None, False, True), (None, 0, 9)):
        which = {"admin": admin, "opcode": opcode}
        with d.sim(own).fault(action, **which, **given) as rule:
            (fault,) = d.sim(own).faults

        counts = {"number": fault.number, "matched": 0, "hits": 0}
        assert fault._asdict() == {"action": action, **which, **given, **counts}
        assert (rule.matched, rule.hits) == (0, 0)
