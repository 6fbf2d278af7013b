"""nvme.Buffer."""

import gc

import pytest

import nvme as d


def test_a_new_buffer_is_zeroed_and_page_aligned():
    buf = d.Buffer(10_000)

    assert buf[:] == bytes(10_000)
    assert buf.phys_addr % 4096 == 0
    assert buf.phys_addr != 0


def test_defaults_are_4096_bytes_called_buffer():
    buf = d.Buffer()

    assert len(buf) == 4096
    assert repr(buf) == "<buffer name: buffer>"


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_below_one_raises(size):
    with pytest.raises(ValueError, match="size"):
        d.Buffer(size)


def test_a_size_beyond_all_memory_raises_memory_error():
    with pytest.raises(MemoryError, match="DMA"):
        d.Buffer(1 << 50)


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 2 << 20, (2 << 20) + 1])
def test_every_byte_of_a_buffer_can_be_written(size):
    buf = d.Buffer(size)
    expected = bytes(i & 0xFF for i in range(size))

    buf[:] = expected

    assert buf[:] == expected


def test_an_index_gives_an_int_and_may_be_negative():
    buf = d.Buffer(16)
    buf[0] = 0x5A
    buf[-1] = 0xA5

    assert buf[0] == 0x5A
    assert buf[15] == 0xA5
    assert buf[-16] == 0x5A


@pytest.mark.parametrize("index", [16, -17, 1 << 70])
def test_an_index_out_of_range_raises_index_error(index):
    buf = d.Buffer(16)

    with pytest.raises(IndexError):
        buf[index]
    with pytest.raises(IndexError):
        buf[index] = 1


@pytest.mark.parametrize("value", [-1, 256])
def test_a_byte_out_of_range_raises_value_error(value):
    buf = d.Buffer(16)

    with pytest.raises(ValueError, match="0..255"):
        buf[3] = value
    assert buf[3] == 0


@pytest.mark.parametrize(
    "index",
    [
        slice(None),
        slice(2, 9),
        slice(None, 8, 2),
        slice(None, None, -1),
        slice(-4, None),
        slice(9, 2),
        slice(100, 200),
        slice(-300, 3),
        slice(14, 2, -3),
    ],
)
def test_a_slice_gives_what_bytes_would(index):
    buf = d.Buffer(16)
    content = bytes(range(16))
    buf[:] = content

    assert buf[index] == content[index]


@pytest.mark.parametrize(
    "value", [b"xyz", bytearray(b"xyz"), memoryview(b"xyz"), [120, 121, 122], iter(b"xyz")]
)
def test_a_slice_takes_bytes_and_iterables_of_ints(value):
    buf = d.Buffer(16)

    buf[8:] = value

    assert buf[7:12] == b"\0xyz\0"


def test_a_slice_assignment_ignores_stop_and_step():
    buf = d.Buffer(16)

    buf[1:10:1] = b"0123456789"
    buf[0:1:3] = b"ab"

    assert buf[:12] == b"ab123456789\0"


def test_a_slice_assignment_from_a_negative_start_counts_from_the_end():
    buf = d.Buffer(16)

    buf[-3:] = b"xyz"

    assert buf[12:] == b"\0xyz"


@pytest.mark.parametrize("start", [14, 16, 17, 1 << 40])
def test_a_value_past_the_end_raises_and_writes_nothing(start):
    buf = d.Buffer(16)

    with pytest.raises(IndexError):
        buf[start:] = b"xyz"
    assert buf[:] == bytes(16)


@pytest.mark.parametrize("value", [[1, 256], [1, -1]])
def test_an_iterable_with_a_wrong_byte_writes_nothing(value):
    buf = d.Buffer(16)

    with pytest.raises(ValueError):
        buf[0:] = value
    assert buf[:] == bytes(16)


def test_a_slice_refuses_text():
    with pytest.raises(TypeError):
        d.Buffer(16)[0:] = "xyz"


def test_bytes_cannot_be_deleted():
    buf = d.Buffer(16)

    with pytest.raises(TypeError):
        del buf[0]


def test_a_buffer_copied_onto_itself_keeps_its_content():
    buf = d.Buffer(16)
    buf[:] = bytes(range(16))

    buf[4:] = memoryview(buf)[:12]

    assert buf[:] == bytes(range(4)) + bytes(range(12))


def test_data_reads_little_endian_integers():
    buf = d.Buffer(1024)
    buf[0:] = [0x5A, 1, 2, *range(100, 120)]

    assert buf.data(2) == 2
    assert buf.data(2, 0) == 0x02015A
    assert buf.data(22, 3) == int.from_bytes(bytes(range(100, 120)), "little")


def test_data_reads_padded_ascii():
    buf = d.Buffer(64)
    buf[4:] = b"SN 1234   "

    assert buf.data(13, 4, str) == "SN 1234"


def test_data_of_another_type_is_an_assertion_error():
    with pytest.raises(AssertionError):
        d.Buffer().data(3, 0, bytes)


def test_data_out_of_the_buffer_is_an_index_error():
    with pytest.raises(IndexError):
        d.Buffer(16).data(16, 0)


def test_data_with_ends_swapped_is_a_value_error():
    with pytest.raises(ValueError):
        d.Buffer(16).data(0, 3)


def test_dump_shows_name_offsets_bytes_and_text():
    buf = d.Buffer(1024, "example")
    buf[0:] = [0x5A, 1, 2, 0, 10, 11, 12, 13]

    assert buf.dump(16) == (
        "example\n00000000  5a 01 02 00 0a 0b 0c 0d  00 00 00 00 00 00 00 00   Z..............."
    )


def test_dump_without_a_size_shows_everything():
    lines = d.Buffer(1024).dump().split("\n")

    assert len(lines) == 1 + 1024 // 16
    assert lines[-1].startswith("000003f0  ")


@pytest.mark.parametrize("size", [0, 1, 15, 17, 5000])
def test_dump_takes_any_size(size):
    lines = d.Buffer(100).dump(size).split("\n")

    assert lines[0] == "buffer"
    assert len([line for line in lines[1:] if line]) == (min(size, 100) + 15) // 16


def test_dsm_ranges_lie_where_the_specification_wants_them():
    buf = d.Buffer()

    buf.set_dsm_range(1, 0x1234567887654321, 0xABCDEF12)

    assert buf[16:32] == bytes.fromhex("00000000 12efcdab 2143658778563412")


def test_dsm_range_attributes_are_kept():
    buf = d.Buffer()

    buf.set_dsm_range(0, 1, 2, attr=0x0304)

    assert buf.data(3, 0) == 0x0304


def test_a_dsm_range_past_the_end_is_an_index_error():
    with pytest.raises(IndexError):
        d.Buffer(32).set_dsm_range(2, 0, 1)


def test_copy_ranges_have_a_zero_based_count():
    buf = d.Buffer()

    buf.set_copy_range(1, 0x1122334455667788, 8)

    assert buf.data(32 + 15, 32 + 8) == 0x1122334455667788
    assert buf.data(32 + 17, 32 + 16) == 7


@pytest.mark.parametrize("count", [0, 65537])
def test_a_copy_range_of_an_impossible_length_is_a_value_error(count):
    with pytest.raises(ValueError):
        d.Buffer().set_copy_range(0, 0, count)


def test_a_memoryview_sees_the_memory_itself():
    buf = d.Buffer(16)
    view = memoryview(buf)

    view[3] = 7
    buf[4] = 8

    assert buf[3] == 7
    assert view[4] == 8
    assert view.nbytes == 16


def test_a_memoryview_keeps_the_memory_alive():
    view = memoryview(d.Buffer(16))
    gc.collect()
    others = [d.Buffer(16) for _ in range(64)]

    view[0] = 0x5A

    assert all(other[0] == 0 for other in others)


def test_patterns_fill_the_whole_buffer():
    assert d.Buffer(100, pvalue=1, ptype=0)[:] == b"\xff" * 100
    assert d.Buffer(10, ptype=32, pvalue=0x01020304)[:] == b"\4\3\2\1\4\3\2\1\4\3"


def test_a_random_pattern_covers_its_percentage():
    buf = d.Buffer(10_000, ptype=0xBEEF, pvalue=30)

    assert 0 < buf[:3000].count(0) < 100
    assert buf[3000:] == bytes(7000)


def test_random_patterns_follow_srand():
    d.srand(7)
    first = d.Buffer(64, ptype=0xBEEF, pvalue=100)[:]
    d.srand(7)
    again = d.Buffer(64, ptype=0xBEEF, pvalue=100)[:]

    assert first == again
    assert d.Buffer(64, ptype=0xBEEF, pvalue=100)[:] != first


@pytest.mark.parametrize(("ptype", "pvalue"), [(1, 0), (0xBEEF, 101)])
def test_an_unknown_pattern_is_a_value_error(ptype, pvalue):
    with pytest.raises(ValueError):
        d.Buffer(ptype=ptype, pvalue=pvalue)


def test_offset_and_size_name_the_part_that_is_transferred():
    buf = d.Buffer(64)
    buf[:] = bytes(range(64))

    buf.offset = 8
    assert (buf.offset, buf.size) == (8, 56)
    buf.size = 16

    assert buf.data_head == int.from_bytes(bytes(range(8, 16)), "little")
    assert buf.data_tail == int.from_bytes(bytes(range(16, 24)), "little")


@pytest.mark.parametrize("offset", [1, 2, 3, 64])
def test_an_offset_must_be_a_dword_inside(offset):
    buf = d.Buffer(64)

    with pytest.raises(ValueError):
        buf.offset = offset
    assert buf.offset == 0


def test_a_size_past_the_end_is_a_value_error():
    buf = d.Buffer(64)
    buf.offset = 32

    with pytest.raises(ValueError):
        buf.size = 33


def test_buffers_come_and_go_without_a_trace():
    gc.collect()
    before = d._core.counts()

    for size in range(1, 2000, 7):
        d.Buffer(size)

    assert d._core.counts()["buffers"] == before["buffers"]


def test_wrong_arguments_are_named_as_python_does():
    with pytest.raises(TypeError, match=r"Buffer\(\) takes from 0 to 4 positional arguments but 5"):
        d.Buffer(1, "a", 0, 0, 0)
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'sise'"):
        d.Buffer(sise=1)
    with pytest.raises(TypeError, match=r"got multiple values for argument 'size'"):
        d.Buffer(1, size=2)
    with pytest.raises(
        TypeError,
        match=r"missing 3 required positional arguments: 'index', 'lba', and 'lba_count'",
    ):
        d.Buffer().set_dsm_range()
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'byte_end'"):
        d.Buffer().data()
    with pytest.raises(TypeError, match="size must be an int"):
        d.Buffer("4096")
