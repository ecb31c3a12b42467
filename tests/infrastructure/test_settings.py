from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.names import Names
from stacks.settings import LONGEST_NAME, FlywheelSettings
from stacks.settings_context import SettingsError, cdk_json_context, read_settings
from tests.infrastructure.synthesised import ROOT, run_app

CONTEXT = cdk_json_context(path=ROOT / "cdk.json")
NAMES = st.from_regex(r"[a-zA-Z](-{0,2}[a-zA-Z0-9]){0,17}", fullmatch=True).filter(
    lambda name: len(name) <= LONGEST_NAME
)
LABELS = st.lists(st.from_regex(r"[A-Z][A-Z_ -]{0,20}[A-Z]", fullmatch=True), min_size=2, max_size=20, unique=True)
PEOPLE = {"model_type": "ENTITY_RECOGNIZER", "entity_types": "PERSON"}
MODEL = "arn:aws:comprehend:eu-west-1:111122223333:document-classifier/news/version/1"
DATA = "s3://bucket/train/,s3://bucket/test/"
BEGIN = {"initial_model_arn": MODEL, "initial_model_data": DATA}
SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"


def settings(**overrides: Any) -> FlywheelSettings:
    return read_settings(context={**CONTEXT, **overrides})


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"name": "under_score"}, ["name", "'under_score'", "letters, digits and hyphens"]),
        ({"name": "9news"}, ["name", "'9news'", "begins with a letter"]),
        ({"name": "news-"}, ["name", "'news-'", "not end with a hyphen"]),
        ({"name": "n" * 55}, ["name", "55", "54"]),
        ({"model_type": "RECOGNIZER"}, ["model_type", "'RECOGNIZER'", "ENTITY_RECOGNIZER", "DOCUMENT_CLASSIFIER"]),
        ({"model_type": "ENTITY_RECOGNIZER"}, ["entity_types: 0 given", "1 to 25"]),
        ({**PEOPLE, "entity_types": ",".join(f"T{n}" for n in range(26))}, ["entity_types: 26 given", "1 to 25"]),
        ({**PEOPLE, "entity_types": "T" * 65}, ["entity_types", "65 characters", "at most 64"]),
        ({**PEOPLE, "entity_types": ["A,B"]}, ["entity_types", "'A,B'", "no comma"]),
        ({**PEOPLE, "entity_types": ["A\\nB"]}, ["entity_types", "no comma, and no"]),
        ({**PEOPLE, "entity_types": "A,B,A"}, ["entity_types", "'A'", "more than once"]),
        ({**PEOPLE, "labels": "A,B"}, ["labels: an entity recognizer has none"]),
        ({"entity_types": "PERSON"}, ["entity_types: a document classifier has none"]),
        ({"mode": "BOTH"}, ["mode", "'BOTH'", "MULTI_CLASS", "MULTI_LABEL"]),
        ({"language": "ja"}, ["language", "'ja'", "'en', 'es', 'fr', 'de', 'it' or 'pt'"]),
        ({"labels": "ONE"}, ["labels", "1 given", "2 to 1000"]),
        ({"labels": ""}, ["labels", "''", "not empty"]),
        ({"labels": [f"L{n}" for n in range(1001)]}, ["labels", "1001 given", "2 to 1000"]),
        ({"labels": [f"L{n}" for n in range(101)], "mode": "MULTI_LABEL"}, ["labels", "101 given", "2 to 100"]),
        ({"labels": "A,B,A"}, ["labels", "'A'", "more than once"]),
        ({"labels": ["A", "B\tC"]}, ["labels", "'B\\tC'", "control characters"]),
        ({"labels": ["A", " B"]}, ["labels", "' B'", "space"]),
        ({"labels": ["A", "B" * 5001]}, ["labels", "5001", "5000"]),
        ({"label_delimiter": "::"}, ["label_delimiter", "'::'", "exactly one"]),
        ({"label_delimiter": "a"}, ["label_delimiter", "'a'", "exactly one"]),
        ({"label_delimiter": "_"}, ["label_delimiter", "'_'", "'SCI_TECH'"]),
        ({"generation": "0"}, ["generation", "'0'", "a whole number from 1"]),
        ({"generation": "two"}, ["generation", "'two'", "a whole number from 1"]),
        ({"initial_model_arn": "news"}, ["initial_model_arn", "'news'", "the ARN of a trained model"]),
        ({"initial_model_arn": MODEL}, ["initial_model_data: name where the data are", MODEL]),
        ({"initial_model_data": DATA}, ["initial_model_data: it goes with initial_model_arn only"]),
        (
            {**BEGIN, "initial_model_data": "bucket/key"},
            ["initial_model_data.0", "'bucket/key'", "s3://BUCKET/FOLDER/"],
        ),
        (
            {**PEOPLE, **BEGIN},
            ["initial_model_arn: the ARN of a ENTITY_RECOGNIZER has entity-recognizer in it, not document-classifier"],
        ),
        (
            {**BEGIN, "labels": [f"L{n}{'x' * 200}" for n in range(500)]},
            ["initial_model_arn: labels and tags need 10", "room for 100,000"],
        ),
        ({"encryption": "none"}, ["encryption", "'none'", "an object", "aws-owned, new or the ARN of a key"]),
        ({"encryption": {"mode": "existing"}}, ["encryption", "key_arn"]),
        ({"encryption": {"mode": "new", "key_arn": "x"}}, ["encryption.key_arn", "'x'", "the ARN of a key"]),
        ({"encryption": "arn:aws:kms:eu-west-1:1:alias/a"}, ["encryption.key_arn", "alias/a", "not of an alias"]),
        ({"training_vpc": {"subnets": ["s"], "security_groups": [GROUP]}}, ["training_vpc.subnets.0", "'s'"]),
        ({"training_vpc": {"subnets": [SUBNET]}}, ["training_vpc.security_groups is missing"]),
        ({"training_vpc": {"subnets": [SUBNET] * 17, "security_groups": [GROUP]}}, ["training_vpc.subnets", "16"]),
        ({"training_vpc": {"subnets": [SUBNET], "security_groups": [GROUP] * 6}}, ["security_groups", "5"]),
        ({"functions_vpc": {"subnets": [SUBNET]}}, ["functions_vpc.security_groups is missing"]),
        ({"reserved_concurrency": "0"}, ["reserved_concurrency", "'0'", "a whole number from 1 to 1000"]),
        ({"api_web_acl": "arn:aws:wafv2:us-east-1:1:global/webacl/a/b"}, ["api_web_acl", "a regional web ACL"]),
        ({"nag_packs": "Serverless,GDPR"}, ["nag_packs", "'GDPR'", "Serverless", "NIST.800.53.R5"]),
        ({"nag_packs": 5}, ["nag_packs", 'a list, such as ["Serverless"]']),
        ({"permissions_boundary": "boundary"}, ["permissions_boundary", "'boundary'", "the ARN of a policy"]),
        ({"tags": {"aws:owner": "me"}}, ["tags", "aws:"]),
        ({"tags": {"owner": "<me>"}}, ["tags.owner", "'<me>'", "tags must be an object", "letters, digits"]),
        ({"tags": "{owner"}, ["tags", "'{owner'", "an object of up to 40 tags"]),
        (
            {"powertools_layer_version": "latest"},
            ["powertools_layer_version", "'latest'", "three numbers, such as 3.37.0"],
        ),
        ({"flywheel": {"nam": "news"}}, ["nam is not a setting", "name is missing"]),
        ({"flywheel": {"name": "news"}}, ["labels: name the labels of your documents"]),
        ({"flywheel": ["news"]}, ["flywheel", "object"]),
        ({"labels": 5}, ['labels is 5: it must be a list, such as ["A", "B"] or A,B.']),
        ({"labels": ["A", 1]}, ['labels.1 is 1: labels must be a list, such as ["A", "B"] or A,B.']),
        ({"labels": '["A"'}, ["labels is '[\"A\"': it must be a list"]),
        ({"label_delimiter": 5}, ["label_delimiter is 5: it must be a character, such as |."]),
        ({"training_vpc": "mine"}, ["training_vpc is 'mine': it must be an object"]),
        ({"encryption": {"mode": "new", "keyarn": "x"}}, ["encryption.keyarn", "did you mean key_arn?"]),
        # What looks like another label, or is not what it looks like, is told by its code point.
        ({"labels": ["B\u0435", "C"]}, ["character 2 is U+0435 (CYRILLIC SMALL LETTER IE)", "passes for 'e'"]),
        ({"labels": ["\u0410\u0421\u0415", "ACE"]}, ["'\\u0410\\u0421\\u0415' and 'ACE' look alike"]),
        ({"labels": ["cafe\u0301", "B"]}, ["'cafe\\u0301'", "'caf\u00e9'", "NFC"]),
        ({"labels": ["x\u200by", "B"]}, ["character 2 is U+200B (ZERO WIDTH SPACE)", "nobody sees"]),
        ({"labels": ["\ufeffx", "B"]}, ["character 1 is U+FEFF"]),
        ({"labels": ["x\u00a0y", "B"]}, ["character 2 is U+00A0 (NO-BREAK SPACE)"]),
        ({"labels": ["\ud83d", "B"]}, ["character 1 is U+D83D"]),
        ({"labels": ["A  B", "A B"]}, ["'A  B' and 'A B' look alike"]),
        # A template takes 1 MB, and the tags stand at every resource.
        ({"labels": [f"{n:0600}" for n in range(1000)]}, ["1000 labels need 620,000", "600,000 bytes"]),
        ({"tags": {f"{n:0128}": "v" * 256 for n in range(40)}}, ["40 tags", "shorten them"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_given_and_what_is_allowed(
    overrides: dict[str, Any], expected: list[str]
) -> None:
    with pytest.raises(SettingsError) as error:
        settings(**overrides)
    for part in expected:
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("lables", "labels"),
        ("label", "labels"),
        ("Labels", "labels"),
        ("names", "name"),
        ("label-delimiter", "label_delimiter"),
        ("lang", "language"),
        ("tag", "tags"),
        ("permission_boundary", "permissions_boundary"),
        ("flywhel", "flywheel"),
    ],
)
def test_a_context_key_near_one_of_ours_is_refused(key: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"{key} is no setting; did you mean {meant}?"):
        settings(**{key: "A,B"})


def test_other_context_keys_are_somebody_elses() -> None:
    keys = ["stage", "app_version", "environment", "@aws-cdk/core:labels", "vpc-provider:account=1", "owner"]
    assert settings(**dict.fromkeys(keys, "x")).name == "news"


def test_letters_of_any_language_are_no_odd_ones() -> None:
    labels = [
        "Fu\u00dfball",
        "Pol\u00edtica",
        "\u0421\u043f\u043e\u0440\u0442",
        "C++ & Q/A",
        "\u65e5\u672c",
        "\U0001f600",
    ]
    assert settings(labels=labels).labels == tuple(sorted(labels))


def test_every_wrong_setting_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        settings(name="_", language="xx", generation=0)
    assert [line.split()[1] for line in str(error.value).splitlines()[1:]] == ["name", "language", "generation"]


def test_the_app_ends_with_the_sentence_and_no_stack_trace(tmp_path: Path) -> None:
    finished = run_app(context={"labels": "ONE"}, outdir=tmp_path)
    assert finished.returncode == 1
    assert "labels: 1 given; MULTI_CLASS takes 2 to 1000." in finished.stderr
    assert "Traceback" not in finished.stderr


def test_overrides_come_as_the_command_line_gives_them() -> None:
    found = settings(
        name="films",
        labels="DRAMA, COMEDY",
        mode="MULTI_LABEL",
        generation="3",
        label_delimiter="\t",
        encryption="new",
        training_vpc=f'{{"subnets": ["{SUBNET}"], "security_groups": ["{GROUP}"]}}',
        tags='{"owner": "me"}',
    )
    assert (found.name, found.labels, found.mode, found.generation) == ("films", ("COMEDY", "DRAMA"), "MULTI_LABEL", 3)
    assert found.label_delimiter == "\t"
    assert found.encryption.mode == "new"
    assert found.training_vpc is not None
    assert found.training_vpc.subnets == (SUBNET,)
    assert found.tags == {"owner": "me"}


def test_who_overrides_the_type_of_model_leaves_the_labels_of_the_file() -> None:
    found = settings(model_type="ENTITY_RECOGNIZER", entity_types="PLACE, PERSON")
    assert (found.labels, found.entity_types, found.task_labels) == ((), ("PERSON", "PLACE"), ("PERSON", "PLACE"))
    assert Names(found).flywheel != Names(settings(**PEOPLE)).flywheel


def test_labels_with_commas_come_as_json() -> None:
    assert settings(labels='["A, B", "C"]').labels == ("A, B", "C")


@given(name=NAMES, labels=LABELS)
def test_the_flywheels_name_is_one_that_comprehend_takes(name: str, labels: list[str]) -> None:
    physical = Names(settings(name=name, labels=labels)).flywheel
    assert len(physical) <= 63
    assert physical.startswith(f"{name}-")


@given(labels=LABELS.flatmap(lambda labels: st.tuples(st.just(labels), st.permutations(labels))))
def test_the_order_of_labels_does_not_replace_the_flywheel(labels: tuple[list[str], list[str]]) -> None:
    assert Names(settings(labels=labels[0])).flywheel == Names(settings(labels=labels[1])).flywheel


def test_a_deployed_flywheel_keeps_its_name() -> None:
    """A setting that comes to it later must not change the names of flywheels that do not use it."""
    assert Names(settings()).flywheel == "news-d060b1f8"


@pytest.mark.parametrize(
    ("overrides", "replaces"),
    [
        ({"labels": "BUSINESS,SPORTS"}, True),
        ({"mode": "MULTI_LABEL"}, True),
        ({"language": "de"}, True),
        ({"generation": "2"}, True),
        ({"name": "other"}, True),
        ({"encryption": "new"}, True),
        (BEGIN, True),
        ({"encryption": "arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444455556666"}, True),
        ({"label_delimiter": ":"}, False),
        ({"tags": {"owner": "me"}}, False),
        ({"permissions_boundary": "arn:aws:iam::111122223333:policy/p"}, False),
        ({"powertools_layer_version": "3.1.0"}, False),
        ({"training_vpc": {"subnets": [SUBNET], "security_groups": [GROUP]}}, False),
    ],
)
def test_exactly_what_only_a_new_flywheel_can_take_replaces_it(overrides: dict[str, Any], replaces: bool) -> None:
    before, after = Names(settings()).flywheel, Names(settings(**overrides)).flywheel
    assert (before.rsplit("-", 1)[1] != after.rsplit("-", 1)[1]) is replaces
