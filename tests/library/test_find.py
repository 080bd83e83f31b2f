"""A row's name and hash lead to one file, or to an error that names the way out; never to a guess."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pytest

from lib_lora.errors import AmbiguousNetworkError, NetworkNotFoundError, UnreadableFileError
from lib_lora.library import known_hashes
from lib_lora.library.library import Library
from tests.files.samples import raw, write
from tests.library.shelves import network_bytes, put


def payload_hash(value: int) -> str:
    return hashlib.sha256(bytes([value])).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """neon (payload 1), styles/ghibli (2), styles/zorp (3, alias Zorpling), chars/zorp (4)."""
    put(tmp_path, "neon", 1)
    put(tmp_path, "styles/ghibli", 2)
    put(tmp_path, "styles/zorp", 3, ss_output_name="Zorpling")
    put(tmp_path, "chars/zorp", 4)
    return tmp_path


@pytest.fixture
def library(root: Path) -> Library:
    library = Library([root])
    library.scan()
    return library


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that are hashed."""
    done: list[str] = []

    def counting(kind: str, make):  # type: ignore[no-untyped-def]
        return kind, lambda path: (done.append(path.stem), make(path))[1]

    monkeypatch.setattr(known_hashes, "_MAKERS", tuple(counting(*maker) for maker in known_hashes._MAKERS))
    return done


@pytest.mark.parametrize(
    ("name", "label"),
    [
        pytest.param("styles/ghibli", "styles/ghibli", id="whole label"),
        pytest.param("ghibli", "styles/ghibli", id="file name"),
        pytest.param("Zorpling", "styles/zorp", id="alias"),
        pytest.param("styles/zorp", "styles/zorp", id="label where the file name is shared"),
        pytest.param("STYLES/Ghibli", "styles/ghibli", id="label in other case"),
        pytest.param("GHIBLI", "styles/ghibli", id="file name in other case"),
        pytest.param("zorpLING", "styles/zorp", id="alias in other case"),
        pytest.param(" neon ", "neon", id="spaces round it"),
        pytest.param("neon.safetensors", "neon", id="with suffix"),
        pytest.param("styles\\ghibli.SafeTensors", "styles/ghibli", id="Windows path"),
        pytest.param("ghibli(123456789abc)", "styles/ghibli", id="AddNet's form with a hash nobody has"),
        pytest.param("Zorpling (12345678)", "styles/zorp", id="AddNet's old form"),
    ],
)
def test_names(library: Library, hashed: list[str], name: str, label: str) -> None:
    assert library.find(name).label == label


def test_without_hash_nothing_is_hashed(library: Library, hashed: list[str]) -> None:
    library.find("ghibli")
    assert hashed == []


def test_an_exact_name_goes_before_a_looser_one(root: Path) -> None:
    put(root, "deep/neon", 5)
    put(root, "NEON", 6)
    put(root, "other", 7, ss_output_name="neon")
    library = Library([root])
    library.scan()
    assert library.find("neon").label == "neon"
    assert library.find("NEON").label == "NEON"
    assert library.find("deep/NEON").label == "deep/neon"


def test_composed_and_decomposed_letters_are_equal(root: Path) -> None:
    put(root, unicodedata.normalize("NFD", "Café"))
    library = Library([root])
    library.scan()
    assert library.find(unicodedata.normalize("NFC", "café")).size > 0


def test_a_name_that_looks_like_addnets_form_is_a_name_first(root: Path) -> None:
    put(root, "neon(0123456789ab)", 9)
    library = Library([root])
    library.scan()
    assert library.find("neon(0123456789ab)").label == "neon(0123456789ab)"


class TestHash:
    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(lambda path, value: payload_hash(value)[:12], id="12 digits"),
            pytest.param(lambda path, value: payload_hash(value), id="64 digits"),
            pytest.param(lambda path, value: payload_hash(value)[:12].upper(), id="capitals"),
            pytest.param(lambda path, value: hashlib.sha256(path.read_bytes()).hexdigest()[:10], id="AutoV2"),
            pytest.param(lambda path, value: hashlib.sha256(path.read_bytes()).hexdigest(), id="whole file"),
        ],
    )
    def test_a_renamed_file_is_found(self, root: Path, library: Library, make) -> None:  # type: ignore[no-untyped-def]
        wanted = make(root / "styles" / "ghibli.safetensors", 2)
        assert library.find("gone", wanted).label == "styles/ghibli"

    def test_addnets_form_finds_a_renamed_file(self, library: Library) -> None:
        assert library.find(f"gone({payload_hash(2)[:12]})").label == "styles/ghibli"

    def test_a_renamed_large_file_is_found_by_its_old_hash(self, root: Path, library: Library) -> None:
        header = b'{"a":{"dtype":"U8","shape":[1114112],"data_offsets":[0,1114112]}}'
        large = write(root / "large.safetensors", raw(header, bytes(0x110000)))
        library.scan()
        wanted = hashlib.sha256(large.read_bytes()[0x100000:0x110000]).hexdigest()[:8]
        assert library.find("gone", wanted).label == "large"

    def test_a_hash_of_its_own_goes_before_the_one_in_the_name(self, library: Library) -> None:
        assert library.find(f"gone({payload_hash(2)[:12]})", payload_hash(1)[:12]).label == "neon"

    def test_it_decides_between_files_of_one_name(self, library: Library) -> None:
        assert library.find("zorp", payload_hash(3)[:12]).label == "styles/zorp"
        assert library.find("zorp", payload_hash(4)[:12]).label == "chars/zorp"
        assert library.find(f"zorp({payload_hash(4)[:12]})").label == "chars/zorp"

    def test_files_of_that_name_are_hashed_first_and_alone(self, library: Library, hashed: list[str]) -> None:
        library.find("zorp", payload_hash(4)[:12])
        assert hashed == ["zorp", "zorp"]

    def test_a_hash_is_computed_once(self, library: Library, hashed: list[str]) -> None:
        for _ in range(3):
            library.find("neon", payload_hash(1)[:12])
        assert hashed == ["neon"]

    def test_another_label_of_the_same_hash_goes_before_a_name(self, library: Library) -> None:
        library.hash_of(library.find("neon"))
        assert library.find("ghibli", payload_hash(1)[:12]).label == "neon"

    def test_a_file_trained_further_is_still_found_by_its_name(
        self, library: Library, hashed: list[str]
    ) -> None:
        assert library.find("ghibli", "123456789abc").label == "styles/ghibli"
        assert hashed == ["ghibli"]  # the rest is not hashed for that

    @pytest.mark.parametrize("junk", ["e3b0c44298fc", "e3b0c442", "0x1234567890", "None", "  "])
    def test_junk_counts_as_none(self, library: Library, hashed: list[str], junk: str) -> None:
        assert library.find("ghibli", junk).label == "styles/ghibli"
        with pytest.raises(NetworkNotFoundError):
            library.find("gone", junk)
        assert hashed == []

    def test_a_declared_hash_finds_a_renamed_file_without_hashing(
        self, root: Path, hashed: list[str]
    ) -> None:
        put(root, "claims", 8, sshs_model_hash="ab" * 32)
        library = Library([root])
        library.scan()
        assert library.find("gone", "ab" * 6).label == "claims"
        assert hashed == []

    def test_a_declared_old_hash_is_used(self, root: Path) -> None:
        put(root, "claims", 8, sshs_legacy_hash="1234abcd")
        library = Library([root])
        library.scan()
        assert library.find("gone(1234abcd)").label == "claims"

    def test_of_two_that_claim_a_hash_the_one_that_has_it_is_taken(self, root: Path) -> None:
        put(root, "liar", 8, sshs_model_hash=payload_hash(9))
        put(root, "true", 9, sshs_model_hash=payload_hash(9))
        library = Library([root])
        library.scan()
        assert library.find("gone", payload_hash(9)[:12]).label == "true"

    def test_two_liars_are_ambiguous(self, root: Path) -> None:
        put(root, "liar one", 8, sshs_model_hash="ab" * 32)
        put(root, "liar two", 9, sshs_model_hash="ab" * 32)
        library = Library([root])
        library.scan()
        with pytest.raises(AmbiguousNetworkError, match="liar one, liar two"):
            library.find("gone", "ab" * 6)

    def test_copies_of_equal_bytes_are_one(self, root: Path) -> None:
        put(root, "copies/ghibli", 2)
        library = Library([root])
        library.scan()
        assert library.find("ghibli", payload_hash(2)[:12]).name == "ghibli"

    def test_a_file_of_the_rows_name_goes_before_one_that_claims_its_hash(self, root: Path) -> None:
        put(root, "aaa", 8, sshs_model_hash=payload_hash(2))
        library = Library([root])
        library.scan()
        assert library.find("styles/ghibli", payload_hash(2)[:12]).label == "styles/ghibli"

    def test_nobody_has_it(self, library: Library, hashed: list[str]) -> None:
        with pytest.raises(NetworkNotFoundError):
            library.find("gone", "123456789abc")
        assert len(hashed) == 4

    def test_hash_of_is_the_payloads_even_when_the_file_says_otherwise(self, root: Path) -> None:
        put(root, "claims", 8, sshs_model_hash="ab" * 32)
        library = Library([root])
        library.scan()
        file = library.find("claims")
        assert library.summary(file)["hash"] == "ab" * 6
        assert library.hash_of(file) == payload_hash(8)[:12]
        assert library.summary(file)["hash"] == payload_hash(8)[:12]
        assert library.summary(file)["hash_note"] == f"The file itself says {'ab' * 6}."

    @pytest.mark.parametrize(
        ("wanted", "has"),
        [
            pytest.param(payload_hash(1)[:12], True, id="its own"),
            pytest.param("ab" * 6, True, id="the one it claims"),
            pytest.param(payload_hash(2)[:12], False, id="another's"),
            pytest.param("123456789abc", False, id="nobody's"),
        ],
    )
    def test_whether_a_file_has_a_hash(self, root: Path, wanted: str, has: bool) -> None:
        put(root, "neon", 1, sshs_model_hash="ab" * 32)
        library = Library([root])
        library.scan()
        assert library.has_hash(library.find("neon"), f" {wanted.upper()} ") is has

    def test_a_file_that_changed_since_the_scan_is_hashed_as_it_is(
        self, root: Path, library: Library
    ) -> None:
        file = library.find("neon")
        assert library.hash_of(file) == payload_hash(1)[:12]
        put(root, "neon", 77, title="longer")
        assert library.hash_of(file) == payload_hash(77)[:12]

    def test_a_file_that_is_gone_has_none(self, root: Path, library: Library) -> None:
        file = library.find("neon")
        file.path.unlink()
        with pytest.raises(UnreadableFileError, match="not there"):
            library.hash_of(file)
        assert library.find("ghibli", payload_hash(2)[:12]).label == "styles/ghibli"
        with pytest.raises(NetworkNotFoundError):
            library.find("gone", payload_hash(1)[:12])


class TestAmbiguous:
    def test_one_file_name_in_two_folders(self, library: Library) -> None:
        with pytest.raises(AmbiguousNetworkError) as caught:
            library.find("zorp")
        assert str(caught.value) == "'zorp' can be 2 files: chars/zorp, styles/zorp. Write the whole label."

    def test_one_label_in_two_roots_names_the_roots(self, tmp_path: Path) -> None:
        put(tmp_path / "one", "neon", 1)
        put(tmp_path / "two", "neon", 2)
        library = Library([tmp_path / "one", tmp_path / "two"])
        library.scan()
        with pytest.raises(AmbiguousNetworkError) as caught:
            library.find("neon")
        assert f"neon in {tmp_path / 'one'}, neon in {tmp_path / 'two'}" in str(caught.value)

    def test_one_alias_of_two_files(self, root: Path) -> None:
        put(root, "a", 5, ss_output_name="twin")
        put(root, "b", 6, ss_output_name="twin")
        library = Library([root])
        library.scan()
        with pytest.raises(AmbiguousNetworkError, match="a, b"):
            library.find("twin")

    def test_two_names_that_differ_in_case(self, root: Path) -> None:
        put(root, "Other", 5)
        put(root, "OTHER", 6)
        library = Library([root])
        library.scan()
        assert library.find("Other").label == "Other"
        with pytest.raises(AmbiguousNetworkError, match="OTHER, Other"):
            library.find("other")

    def test_a_link_to_the_same_file_is_the_same_file(self, root: Path) -> None:
        put(root, "x/link", 9)
        (root / "y").mkdir()
        (root / "y" / "link.safetensors").symlink_to(root / "x" / "link.safetensors")
        library = Library([root])
        library.scan()
        assert len(library.search("link")) == 2
        assert library.find("link").name == "link"

    def test_a_usable_file_goes_before_one_in_trouble(self, root: Path) -> None:
        write(root / "neon.pt", b"\x80\x04")
        library = Library([root])
        library.scan()
        assert library.find("neon").path.suffix == ".safetensors"

    def test_a_file_in_trouble_is_found_when_it_is_alone(self, root: Path) -> None:
        write(root / "broken.safetensors", b"")
        library = Library([root])
        library.scan()
        assert "is empty" in library.find("broken").problem

    def test_many_candidates_are_not_all_named(self, root: Path) -> None:
        for number in range(12):
            put(root, f"folder {number:02}/same", number)
        library = Library([root])
        library.scan()
        with pytest.raises(AmbiguousNetworkError, match=r"can be 12 files: folder 00/same.*and 4 more"):
            library.find("same")


class TestNotFound:
    def test_the_nearest_names_are_told(self, library: Library) -> None:
        with pytest.raises(NetworkNotFoundError) as caught:
            library.find("styles/gibli")
        assert str(caught.value).startswith("There is no LoRA called 'styles/gibli' in your folders.")
        assert "'styles/ghibli'" in str(caught.value)
        assert caught.value.status_code == 422

    def test_a_nearest_name_is_spelled_as_it_is(self, library: Library) -> None:
        with pytest.raises(NetworkNotFoundError, match="'Zorpling'"):
            library.find("zorplin")

    def test_nothing_is_near(self, library: Library) -> None:
        with pytest.raises(NetworkNotFoundError, match="Refresh the list"):
            library.find("qqqqqqqqqqqq")

    def test_empty_folders_are_named(self, tmp_path: Path) -> None:
        library = Library([tmp_path])
        library.scan()
        with pytest.raises(NetworkNotFoundError) as caught:
            library.find("neon")
        assert str(tmp_path) in str(caught.value)

    def test_a_name_of_a_thousand_letters(self, library: Library) -> None:
        with pytest.raises(NetworkNotFoundError) as caught:
            library.find("x" * 1000)
        assert len(str(caught.value)) < 300

    @pytest.mark.parametrize("name", ["../neon", "/etc/passwd", "styles/../neon", "styles", "", "."])
    def test_a_name_is_never_a_path(self, library: Library, name: str) -> None:
        with pytest.raises(NetworkNotFoundError):
            library.find(name)


class TestLookingAgain:
    def test_a_file_that_came_since_is_found(self, root: Path) -> None:
        library = Library([root], rescan_after=0)
        library.scan()
        put(root, "fresh", 9)
        assert library.find("fresh").label == "fresh"

    def test_a_file_renamed_since_is_found_by_its_hash(self, root: Path) -> None:
        library = Library([root], rescan_after=0)
        library.scan()
        (root / "neon.safetensors").rename(root / "glow.safetensors")
        assert library.find("neon", payload_hash(1)[:12]).label == "glow"
        with pytest.raises(NetworkNotFoundError):
            library.find("neon")

    def test_a_library_never_scanned_looks(self, root: Path) -> None:
        assert Library([root]).find("neon").label == "neon"

    def test_not_again_right_after_a_scan(self, root: Path, library: Library) -> None:
        put(root, "fresh", 9)
        with pytest.raises(NetworkNotFoundError):
            library.find("fresh")


def test_a_name_that_is_only_a_suffix(library: Library) -> None:
    with pytest.raises(NetworkNotFoundError):
        library.find(".safetensors")


def test_payloads_of_the_shelf_differ(tmp_path: Path) -> None:
    assert network_bytes(1) != network_bytes(2)


def test_how_a_prompt_tag_calls_a_file(library: Library) -> None:
    """Without folders, as the WebUI does; a name of two files would be either's, so it is no tag's."""
    assert library.tag_name("styles/ghibli") == "ghibli"
    assert library.tag_name("moved/away") == "away"
    with pytest.raises(
        AmbiguousNetworkError, match=r"2 files called 'zorp'.*(chars|styles)/zorp.*Keep the row"
    ):
        library.tag_name("styles/zorp")
    with pytest.raises(AmbiguousNetworkError):
        library.tag_name("zorp")
