"""Tests that a drive over NVMe/TCP cannot pass, and why; one reason a line."""

NO_RING = "a fabrics queue has no ring in memory, and no doorbells"
NO_VECTOR = "a fabrics controller has no interrupts"
NO_FUNCTION = "an NVMe/TCP controller is no PCI function"

#: Whole files.
FILES: dict[str, str] = {
    "test_interrupt": NO_VECTOR,
    "test_raw": NO_RING,
}

#: Whatever the target is.
CANNOT: dict[str, str] = {
    "test_entries_carry_command_completion_and_times": "a data pointer is no PRP",
    "test_registers_are_read_and_written": "there is no Property AQA",
    "test_a_second_controller_at_the_same_drive_is_refused": "every host has a controller",
    "test_the_phase_bit_of_callbacks_flips_with_every_turn_of_the_ring": NO_RING,
}

#: Kinds of resets that only a PCI function has, as parameters of tests.
RESETS = {"flr", "hot", "d3", "decoding"}

#: The kernel's target, of Linux 6.1.
LINUX: dict[str, str] = {
    "test_smart_log_is_read": "its SMART log has no temperature",
    "test_waitdone_returns_dword_0_of_the_last_command": "has no feature 04h",
}
