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

NO_TEMPERATURE = "its SMART log has no temperature"
NO_TEMPERATURE_EVENT = "has no feature 04h, and no event of a temperature"
NO_SHUTDOWN_STATE = "a shutdown clears its CC, and the SHN in it"
NO_LBA_RANGE = "answers an LBA out of range by 00/06, Internal Error, as its block layer does"

#: The kernel's target, of Linux 6.1, on a block device.
LINUX: dict[str, str] = {
    "test_smart_log_is_read": NO_TEMPERATURE,
    "test_ioworker_with_temperature": NO_TEMPERATURE,
    "test_an_aer_is_logged_warned_of_and_called_back": NO_TEMPERATURE_EVENT,
    "test_smart_counts_a_read": NO_TEMPERATURE,
    "test_a_warning_of_an_event_turned_into_an_error_comes_out": NO_TEMPERATURE_EVENT,
    "test_an_aer_is_posted_again": NO_TEMPERATURE_EVENT,
    "test_an_aer_counts_once_nothing_else_is_outstanding": NO_TEMPERATURE_EVENT,
    "test_a_failed_assertion_in_an_aer_callback_is_a_warning": NO_TEMPERATURE_EVENT,
    "test_100_aborts_and_the_4_aers_that_they_end_satisfy_waitdone_104": "Abort ends no command",
    "test_an_lba_out_of_range_is_the_devices_to_refuse": NO_LBA_RANGE,
    "test_all_64_bits_of_an_lba_reach_the_device": NO_LBA_RANGE,
    "test_compare_tells_a_difference": "has no Compare",
    "test_write_uncorrectable_makes_reads_fail": "has no Write Uncorrectable",
    "test_copy_copies": "has no Copy",
    "test_the_lists_have_the_namespace_and_the_controller": "has no Identify of a controller list",
    "test_the_firmware_log_names_the_running_revision": "its Firmware Slot log is empty",
    "test_features_have_their_fields": "has no feature 0Eh, Timestamp",
    "test_an_orderly_shutdown_waits_for_its_end": NO_SHUTDOWN_STATE,
    "test_an_abrupt_shutdown_returns_at_once": NO_SHUTDOWN_STATE,
    "test_format_changes_sector_size_and_data": "has no Format NVM",
    "test_a_format_by_hand_is_noticed_by_the_namespace": "has no Format NVM",
    "test_waitdone_returns_dword_0_of_the_last_command": "has no feature 04h",
}
