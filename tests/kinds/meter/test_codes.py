"""What a message's codes mean is what the field's tables say; what is in no table is kept."""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.meters import captured, codes
from wattkeeper.kinds.meter.codes import manufacturers, media, status
from wattkeeper.kinds.meter.codes.dimensions import DECIMALS, NOT_MEASURED, Dimension, dimension_of, plain
from wattkeeper.kinds.meter.codes.identnrs import identnr_of

# What the table's unit is in ours: its name here, and what one of it is.
UNITS: dict[str, tuple[str, Fraction]] = {
    "Wh": ("kWh", Fraction(1, 1000)),
    "J": ("kWh", Fraction(1, 3_600_000)),
    "m3": ("m³", Fraction(1)),
    "kg": ("kg", Fraction(1)),
    "W": ("kW", Fraction(1, 1000)),
    "J/h": ("kW", Fraction(1, 3_600_000)),
    "m3/h": ("m³/h", Fraction(1)),
    "m3/min": ("m³/h", Fraction(60)),
    "m3/s": ("m³/h", Fraction(3600)),
    "kg/h": ("kg/h", Fraction(1)),
    "degC": ("°C", Fraction(1)),
    "K": ("K", Fraction(1)),
    "bar": ("bar", Fraction(1)),
    "second": ("h", Fraction(1, 3600)),
    "minute": ("h", Fraction(1, 60)),
    "hour": ("h", Fraction(1)),
    "day": ("h", Fraction(24)),
}
QUANTITIES = {
    "hca": "heat_cost",
    "datetime": "date_and_time",
    "fabrication_no": "fabrication_number",
}
NUMBERS = st.integers() | st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
DIMENSIONS = [row[0] for row in codes()["dimensions"]]


def known(text: str) -> Dimension:
    found = dimension_of(text)
    assert found is not None
    return found


class TestADimension:
    def test_there_are_122_of_them(self) -> None:
        assert len(set(DIMENSIONS)) == 122

    @pytest.mark.parametrize(("text", "quantity", "unit", "exponent"), codes()["dimensions"])
    def test_of_the_table_has_its_quantity_and_factor(
        self, text: str, quantity: str, unit: str | None, exponent: int | None
    ) -> None:
        said = known(text)
        assert said.quantity.value == QUANTITIES.get(quantity, quantity)
        if unit in UNITS:
            name, of_one = UNITS[unit]
            assert (said.unit, said.factor) == (name, Fraction(10) ** (exponent or 0) * of_one)
            assert said.title.endswith(f"({name})")
        else:
            assert (said.unit, said.factor, said.title) == ("", 1, text)

    @pytest.mark.parametrize("text", DIMENSIONS)
    def test_is_known_with_any_blanks(self, text: str) -> None:
        assert known(f"  {text.replace(' ', '  ')} ") == known(text) == known(plain(text))

    @pytest.mark.parametrize(
        "text",
        ["", "Energy", "Energy ()", "energy (kWh)", "Energy(kWh)", "Energy (0.1 MWh)", "V", "1e-1  V", "x" * 200],
    )
    def test_of_no_table_is_none(self, text: str) -> None:
        assert dimension_of(text) is None

    def test_of_real_meters_is_known_or_an_extension_that_the_table_leaves_out(self) -> None:
        unknown = {
            plain(said["dimension"])
            for message in captured().values()
            for said in message["data"]
            if dimension_of(said["dimension"]) is None
        }
        assert "Energy (0.1 MWh)" in unknown
        assert not {text for text in unknown if re.match(r"(Volume|Power|Flow|Return|Mass|Time Point)\b", text)}

    @pytest.mark.parametrize(
        ("text", "value", "scaled", "shown"),
        [
            ("Energy (10 Wh)", 2969, 29.69, "29.69"),
            ("Energy (kWh)", 29690, 29690.0, "29690"),
            ("Energy (MJ)", 36, 10.0, "10"),
            ("Energy (kJ)", 1, 1 / 3600, "0.000277778"),
            ("Volume (m m^3)", 54321, 54.321, "54.321"),
            ("Volume (1e-2  m^3)", 5, 0.05, "0.05"),
            ("Volume flow (1e-9  m^3/s)", 10**9, 3600.0, "3600"),
            ("Flow temperature (1e-1 deg C)", -55, -5.5, "-5.5"),
            ("Units for H.C.A.", 7, 7.0, "7"),
        ],
    )
    def test_scales_what_it_is_told(self, text: str, value: int, scaled: float, shown: str) -> None:
        assert known(text).scaled(value) == pytest.approx(scaled, rel=1e-15)
        assert known(text).scaled_text(value) == shown


class TestAScaledText:
    @given(text=st.sampled_from(DIMENSIONS), value=NUMBERS)
    @example(text="Energy (kWh)", value=10**300 + 1)
    @example(text="Energy (J)", value=10**300 + 1)
    @example(text="Energy (10 Wh)", value=12345678901234567890123456789012345)
    @example(text="Volume (my m^3)", value=1e300)
    @example(text="Volume (my m^3)", value=5e-324)
    @example(text="Power (MJ/h)", value=1.7976931348623157e308)
    @example(text="Energy (kWh)", value=-0.0)
    @example(text="Energy (kWh)", value=0.1)
    def test_has_every_digit_or_six_of_what_never_ends(self, text: str, value: float) -> None:
        dimension = known(text)
        shown = dimension.scaled_text(value)
        exact = Fraction(Decimal(str(value))) * dimension.factor
        assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", shown) and shown != "-0"
        if Fraction(shown) != exact:
            assert abs(Fraction(shown) - exact) <= Fraction(1, 2 * 10**DECIMALS)
            assert (exact * 10**4_000).denominator > 1  # its decimals never end

    @given(value=NUMBERS)
    def test_of_what_is_not_scaled_is_the_number_as_it_was_sent(self, value: float) -> None:
        assert Fraction(known("Units for H.C.A.").scaled_text(value)) == Fraction(Decimal(str(value)))

    @given(text=st.sampled_from(DIMENSIONS), value=NUMBERS)
    def test_is_the_same_in_any_decimal_context(self, text: str, value: float) -> None:
        shown = known(text).scaled_text(value)
        with localcontext() as context:
            context.prec = 3
            assert known(text).scaled_text(value) == shown

    @given(text=st.sampled_from(DIMENSIONS), value=NUMBERS)
    def test_is_what_the_scaled_number_is_to_the_precision_of_a_double(self, text: str, value: float) -> None:
        scaled, shown = known(text).scaled(value), float(known(text).scaled_text(value))
        if abs(scaled) != float("inf"):  # such a number fits no double
            assert shown == pytest.approx(scaled, rel=1e-14, abs=10**-DECIMALS)


def test_what_measures_nothing_is_not_measured() -> None:
    silent = {text for text in DIMENSIONS if known(text).quantity in NOT_MEASURED}
    assert silent == {
        text
        for text in DIMENSIONS
        if re.match(r"(On time|Operating|Averaging|Actuality|Time Point|Fabrication|Bus|Manufacturer)", text)
    }
    assert {known(text).quantity for text in silent} == NOT_MEASURED


# Words of the table's media that ours must have, where the two are not the same word.
MEDIA: dict[int, str] = {
    6: "warm water", 8: "heat cost allocator", 10: "cooling, outlet", 11: "cooling, inlet", 12: "heat, inlet",
    13: "heat and cooling", 14: "bus or system", 21: "hot water", 23: "hot and cold water", 27: "room sensor",
    32: "electricity breaker", 33: "gas or water valve", 37: "customer unit", 54: "radio converter, system side",
    55: "radio converter, meter side", 4: "heat",
}  # fmt: skip
RADIO = {49: "communication controller", 50: "unidirectional repeater", 51: "bidirectional repeater"}


class TestAMedium:
    def test_there_are_63_codes_of_them(self) -> None:
        assert len(codes()["device_types"]) == 63

    @pytest.mark.parametrize(("code", "name"), codes()["device_types"])
    def test_of_the_table_has_its_words_and_a_reserved_one_none(self, code: int, name: str | None) -> None:
        words = media.medium_of(code)
        if name is None:
            assert words == RADIO.get(code)
        else:
            assert words == MEDIA.get(code, name.lower().replace("a/d", "A/D"))
        assert media.words_of(code) == f"{words or 'unknown'} ({code})"

    @pytest.mark.parametrize("code", [30, 64, 255])
    def test_of_no_table_is_unknown_and_keeps_its_number(self, code: int) -> None:
        assert media.medium_of(code) is None
        assert media.words_of(code) == f"unknown ({code})"


class TestAStatus:
    @pytest.mark.parametrize(("mask", "value", "meaning"), codes()["status"])
    def test_of_the_table_says_what_it_means(self, mask: int, value: int | None, meaning: str) -> None:
        words = status.words_of(mask if value is None else value)
        assert (
            words
            == {
                "no error": "ok (0)",
                "application busy": "busy (1)",
                "any application error": "application error (2)",
                "abnormal condition / alarm": "alarm (3)",
                "power low": "power low (4)",
                "permanent error": "permanent error (8)",
                "temporary error": "temporary error (16)",
                "manufacturer specific": "manufacturer's own 0xE0 (224)",
            }[meaning]
        )

    @given(code=st.integers(0, 255))
    def test_says_all_of_its_bits_and_no_others(self, code: int) -> None:
        said = status.meanings_of(code)
        assert ("power low" in said) == bool(code & 4)
        assert ("permanent error" in said) == bool(code & 8)
        assert ("temporary error" in said) == bool(code & 16)
        assert (f"manufacturer's own 0x{code & 0xE0:02X}" in said) == bool(code & 0xE0)
        assert len(said) == (code & 3 > 0) + sum(bool(code & bit) for bit in (4, 8, 16, 0xE0))
        assert status.is_error(code) == (code & 3 in (2, 3) or bool(code & 0x18))

    @pytest.mark.parametrize(("code", "words"), [(39, "alarm, power low, manufacturer's own 0x20 (39)"),
                                                 (20, "power low, temporary error (20)")])  # fmt: skip
    def test_of_several_bits_says_each(self, code: int, words: str) -> None:
        assert status.words_of(code) == words


class TestAManufacturer:
    @pytest.mark.parametrize(
        ("code", "letters"),
        [(5317, "EFE"), (1143, "ACW"), (0x0421, "AAA"), (0x6B5A, "ZZZ"), (27213, "ZRM"), (20173, "SVM")],
    )
    def test_has_three_letters(self, code: int, letters: str) -> None:
        assert manufacturers.letters_of(code) == letters
        assert manufacturers.code_of(letters) == manufacturers.code_of(letters.lower()) == code
        assert manufacturers.words_of(code) == f"{letters} ({code})"

    @given(code=st.integers(0, 0xFFFF))
    def test_has_the_letters_of_the_formula_or_none(self, code: int) -> None:
        parts = [code >> 10 & 31, code >> 5 & 31, code & 31]
        regular = code < 0x8000 and all(1 <= part <= 26 for part in parts)
        letters = manufacturers.letters_of(code)
        assert letters == ("".join(chr(64 + part) for part in parts) if regular else None)
        assert manufacturers.said_code(code) == code
        if letters:
            assert manufacturers.said_code(f" {letters.lower()} ") == code

    @given(letters=st.text())
    @example(letters="EFÉ")
    @example(letters="\u017f" * 3)  # each is an S in upper case
    @example(letters="EF1")
    def test_of_other_letters_is_none(self, letters: str) -> None:
        code = manufacturers.code_of(letters)
        assert (code is None) == (re.fullmatch("[A-Za-z]{3}", letters) is None)


class TestAMetersNumber:
    @pytest.mark.parametrize(
        ("said", "number"),
        [
            (83251076, "83251076"), (2, "00000002"), (0, "00000000"), ("83251076", "83251076"),
            (" 83251076 ", "83251076"),
            ("0x83251076", "83251076"), ("0X500023e", "0500023E"), ("0500023E", "0500023E"), ("500023e", "0500023E"),
            ("2", "00000002"), ("\t2\n", "00000002"),
        ],
    )  # fmt: skip
    def test_is_eight_digits_however_it_comes(self, said: Any, number: str) -> None:
        assert identnr_of(said) == number

    @pytest.mark.parametrize(
        "said",
        [-1, 10**8, 2**70, "", " ", "0x", "123456789", "12 34", "EFG", "0x0x12", "-1", "+1", "1.0", "١٢٣", "１２"],  # noqa: RUF001
    )
    def test_is_none_of_what_is_no_number(self, said: Any) -> None:
        assert identnr_of(said) is None
