"""API tests over NVMe/TCP on the kernel's own target, nvmet-tcp, in a QEMU guest.

All of them that touch the drive in its long form; otherwise a choice. What Linux's target has not
got is in tests/api/fabric/cannot.py.
"""

from rings.ring_guest import GuestRing
from rings.scripts import SESSION

#: Test files in full, or tests of them: what is of interest on a target of another's making, and
#: takes an emulated processor no more than a second or two.
PICKED: dict[str, tuple[str, ...]] = {
    "fabric/test_any_target": (),
    "test_tutorial": (),
    "test_controller": (
        "test_the_controller_is_configured_as_the_contract_says",
        "test_as_many_aers_are_posted_as_the_device_takes",
        "test_id_data_reads_fields",
        "test_an_unknown_admin_command_is_the_devices_to_refuse",
        "test_smart_log_is_read",
    ),
    "test_namespace": (
        "test_capacity_and_sector_size_are_what_identify_says",
        "test_a_namespace_that_is_not_there_is_a_creation_error",
        "test_what_was_written_is_read",
        "test_an_lba_out_of_range_is_the_devices_to_refuse",
        "test_all_64_bits_of_an_lba_reach_the_device",
        "test_config_applies_fua_to_single_commands",
        "test_compare_tells_a_difference",
        "test_write_zeroes_leaves_zeroes",
        "test_dsm_sends_its_ranges",
        "test_write_uncorrectable_makes_reads_fail",
        "test_copy_copies",
        "test_flush_succeeds",
        "test_send_cmd_sends_everything_as_given",
        "test_format_changes_sector_size_and_data",
        "test_a_format_by_hand_is_noticed_by_the_namespace",
    ),
    "test_qpair": (
        "test_depths_from_two_to_the_maximum_work",
        "test_a_depth_above_mqes_is_a_creation_error",
        "test_a_queue_goes_with_its_last_reference",
        "test_delete_may_be_called_twice",
        "test_a_queue_dropped_with_commands_in_flight_takes_them_along",
        "test_a_buffer_dropped_with_its_command_in_flight_stays_until_the_end",
    ),
    "test_waitdone": (
        "test_waitdone_of_a_qpair_reaps_exactly_so_many",
        "test_waitdone_returns_dword_0_of_the_last_command",
        "test_more_commands_than_the_ring_holds_wait_in_software",
        "test_the_admin_queue_takes_128_commands_at_once",
        "test_a_callback_gets_dword_0_and_status_with_phase",
        "test_callbacks_submit_more_commands",
        "test_an_error_status_without_a_callback_is_a_warning",
        "test_waitdone_of_the_controller_reaps_everything_available",
    ),
    "test_events": (
        "test_an_aer_is_logged_warned_of_and_called_back",
        "test_an_aer_counts_once_nothing_else_is_outstanding",
        "test_100_aborts_and_the_4_aers_that_they_end_satisfy_waitdone_104",
        "test_an_aer_of_the_script_beyond_the_limit_is_refused",
    ),
    "test_cmdlog": (
        "test_an_outstanding_command_is_shown",
        "test_an_error_status_is_named",
        "test_the_admin_queue_has_a_log_too",
    ),
    "test_reset": (
        "test_the_controller_works_after_a_reset",
        "test_data_survives_a_reset",
        "test_a_stale_qpair_says_so_and_deletes_cleanly",
        "test_commands_in_flight_end_as_aborted",
        "test_admin_commands_in_flight_get_their_callbacks_there_and_then",
        "test_aers_are_posted_after_a_reset",
    ),
    "ioworker/test_life": (
        "test_start_returns_at_once",
        "test_admin_commands_go_on_meanwhile",
        "test_other_queues_go_on_meanwhile",
        "test_a_command_of_exactly_mdts_is_sent",
    ),
    "ioworker/test_results": (
        "test_exactly_io_count_commands_are_issued",
        "test_whichever_comes_first",
    ),
    "ioworker/test_parameters": (
        "test_random_stays_aligned_in_the_region",
        "test_reads_and_writes_are_mixed",
        "test_data_of_writes",
        "test_a_sequence_flushes_and_trims",
    ),
}


def plain(name: str) -> tuple[str, str]:
    """File and function of a test, by its name as pytest has it."""
    file, _, test = name.partition(".py::")
    return file.removeprefix(f"{GuestRing.folder}/"), test.partition("[")[0]


def picked(name: str) -> bool:
    file, test = plain(name)
    return file in PICKED and (not PICKED[file] or test in PICKED[file])


class NvmetRing(GuestRing):
    preset = "nvmet"
    timeout_s = 900.0

    def names(self, long: bool) -> list[str]:
        names = super().names(long)
        if long:
            return names
        names = [name for name in names if picked(name)]
        there = {plain(name) for name in names}
        wanted = {(file, test) for file, tests in PICKED.items() for test in tests}
        missing = {test for _, test in wanted - there} | (
            PICKED.keys() - {file for file, _ in there}
        )
        if missing:
            self.faults.append(f"no such tests: {', '.join(sorted(missing))}")
        return [*names, SESSION]


RING = NvmetRing("nvmet")
