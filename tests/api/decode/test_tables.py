"""The tables of structures: complete, without overlaps, with units and descriptions."""

import pytest

from nvme.decode import registers
from nvme.decode.field import Many, Reserved, Uint, Views

from .every import BITS, VIEWS


def name(cls: type) -> str:
    return cls.__name__


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_rows_follow_each_other_without_hole_or_overlap(view):
    at = 0
    for field in view.FIELDS:
        assert field.offset == at, field.name
        at = field.end

    assert at == view.BYTES


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_elements_fill_their_row(view):
    for field in view.FIELDS:
        assert field.width > 0, field.name
        if isinstance(field, Many):
            assert field.each * field.count == field.width, field.name
        if isinstance(field, Views):
            assert field.each == field.view.BYTES, field.name


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_a_structure_says_what_it_is_and_where_it_stands(view):
    assert view.__doc__
    assert view.SECTION or view.__module__ == "nvme.decode.event_data"


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_names_are_lower_case_and_reserved_bytes_are_called_so(view):
    for field in view.FIELDS:
        assert field.name == field.name.lower()
        assert field.text
        assert isinstance(field, Reserved) == ("rsvd" in field.name), field.name


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_numbers_are_decimal_or_hexadecimal_and_addresses_are_hexadecimal(view):
    for field in view.FIELDS:
        if isinstance(field, Uint):
            assert field.base in (10, 16), field.name
            assert field.base == 16 or "Address" not in field.text, field.name
            assert field.base == 10 or not field.unit, field.name


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_keys_with_units_are_as_many_as_fields(view):
    keys = [field.key for field in view.FIELDS]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("bits", BITS, ids=name)
def test_bit_fields_lie_inside_and_do_not_overlap(bits):
    taken = 0
    for field in bits.FIELDS:
        assert field.high < bits.BITS, field.name
        assert not taken & field.mask, field.name
        taken |= field.mask
        assert field.text
        assert all(value in range(1 << field.width) for value in field.names), field.name


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_bit_fields_are_as_wide_as_their_row(view):
    for field in view.FIELDS:
        if bits := getattr(field, "bits", None):
            assert 8 * getattr(field, "each", field.width) == bits.BITS, field.name


@pytest.mark.parametrize("bits", BITS, ids=name)
def test_features_are_a_dword_and_registers_one_or_two(bits):
    if bits.__module__ in ("nvme.decode.feature_bits", "nvme.decode.registers"):
        assert (64 if bits in (registers.Cap, registers.Cmbmsc) else 32) == bits.BITS


def test_there_are_tables():
    assert len(VIEWS) > 30
    assert len(BITS) > 60
