"""What others rely on is what the documents say: parameters, outputs, Parameter Store, variables of the functions."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from flywheel.store.parameters import ENDPOINT, RUN_TIME_NAMES
from tests.documents import quoted, rows, table
from tests.infrastructure.synthesised import Synthesised, as_text
from tests.infrastructure.test_parameters import takes

REFERENCE = "docs/reference.md"
KINDS = ("flywheel", "import", "serving", "analysis")
PARAMETERS = {kind: rows(REFERENCE, f"Parameters of the {kind.title()} stack") for kind in KINDS}
EVERY = [(kind, name) for kind, names in PARAMETERS.items() for name in names]
OUTPUTS = rows(REFERENCE, "Outputs")
STORED = rows(REFERENCE, "Parameter Store")
WHOLE = "¹"


def parameter(stack: Synthesised, name: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.template["Parameters"][name]
    return found


def resource_parameter(stack: Synthesised, name: str) -> dict[str, Any]:
    (found,) = [
        resource.properties
        for resource in stack.of_type("AWS::SSM::Parameter")
        if resource.properties["Name"].rsplit("/", 1)[1] == name
    ]
    return found


def deployment(stack: Synthesised) -> dict[str, Any]:
    published: dict[str, Any] = json.loads(as_text(resource_parameter(stack, "deployment")["Value"]))
    return published


def allowed(found: dict[str, Any]) -> str | set[str] | None:
    """What the column says of a parameter: a range, or all its values; None where it is told in words."""
    values = found.get("AllowedValues")
    if values and values == [str(number) for number in range(len(values))]:
        return f"0 to {len(values) - 1} {WHOLE}"
    if values:
        return set(values)
    bounds = re.search(r"a (whole )?number from ([\d.]+) to ([\d.]+)", found["ConstraintDescription"])
    if bounds is None:
        return None
    whole, *limits = bounds.groups()
    least, most = (f"{int(limit):,}" if limit.isdigit() else limit for limit in limits)
    return f"{least} to {most}{f' {WHOLE}' if whole else ''}"


class TestParameters:
    @pytest.mark.parametrize("kind", ["first", "serving", "analysis"])
    def test_are_these(self, any_variant: Synthesised, kind: str) -> None:
        stack = any_variant.first if kind == "first" else any_variant.beside(kind)
        kind, parameters = stack.stack.rpartition("-")[2], stack.template["Parameters"]
        tuned = {name for name, found in parameters.items() if not found["Type"].startswith("AWS::SSM::")}
        # The setting `reserved_concurrency` takes its place.
        left_out = {"ReserveConcurrency"} if any_variant.stack.startswith("organisation") else set()
        if any_variant.first.stack.endswith("-import"):
            left_out |= {
                "ReviewPerAnalysis",
                "KeepPredictions",
                "KeepPredictionsPercent",
                "AuditPercent",
                "FeedbackTrust",
            }
        assert tuned == set(PARAMETERS[kind]) - left_out

    @pytest.mark.parametrize(("kind", "name"), EVERY)
    def test_have_these_defaults(self, default: Synthesised, importing: Synthesised, kind: str, name: str) -> None:
        found = parameter((importing if kind == "import" else default).beside(kind), name)
        assert PARAMETERS[kind][name]["default"] == f"`{found['Default']}`"
        assert len(found["Description"]) > 20

    @pytest.mark.parametrize(("kind", "name"), EVERY)
    def test_take_these_values(self, default: Synthesised, importing: Synthesised, kind: str, name: str) -> None:
        found = parameter((importing if kind == "import" else default).beside(kind), name)
        said = PARAMETERS[kind][name]["allowed"]
        if elsewhere := re.fullmatch(r"as in the (\w+) stack", said):
            said = PARAMETERS[elsewhere[1].lower()][name]["allowed"]
        match allowed(found):
            case str() as bounds:
                assert said == bounds
            case set() as values:
                assert set(quoted(said)) == values
            case None:
                examples = [example for example in quoted(said) if "..." not in example]
                assert examples
                assert [example for example in examples if not takes(found, example)] == []


@pytest.mark.parametrize("kind", ["first", "serving", "analysis"])
def test_the_outputs_are_these(any_variant: Synthesised, kind: str) -> None:
    stack = any_variant.first if kind == "first" else any_variant.beside(kind)
    # The CDK's construct of an API has an output of its own, whose name ends in a hash.
    outputs = {
        name: output for name, output in stack.template["Outputs"].items() if not re.search(r"[0-9A-F]{8}$", name)
    }
    kind = stack.stack.rpartition("-")[2]
    named = {name for name, row in OUTPUTS.items() if kind in row["stack"].split(", ")}
    # There is nobody to teach there.
    assert set(outputs) == named - ({"FeedbackPolicyArn"} if any_variant.first.stack.endswith("-import") else set())
    assert not [output for output in outputs.values() if "Export" in output]


def test_the_variables_of_the_functions_are_these(initial_model: Synthesised, importing: Synthesised) -> None:
    named = [
        name for row in table("docs/interfaces.md", "Environment of the functions") for name in quoted(row["variables"])
    ]
    given = {
        name
        for app in (initial_model, importing)
        for stack in (app.first, app.beside("serving"), app.beside("analysis"))
        for function in stack.functions().values()
        for name in function.properties["Environment"]["Variables"]
    }
    assert sorted(named) == sorted(given)


class TestParameterStore:
    def test_holds_the_flywheels_arn_once_it_is_there(self, default: Synthesised) -> None:
        flywheel = default.one("Flywheel", "AWS::Comprehend::Flywheel")
        (resource,) = [
            found
            for found in default.of_type("AWS::SSM::Parameter")
            if found.properties["Name"] == "/comprehend-flywheel/news/flywheel-arn"
        ]
        assert as_text(resource.properties["Value"]).endswith(f":flywheel/{flywheel.properties['FlywheelName']}")
        assert resource.body["DependsOn"] == [flywheel.logical_id]

    def test_says_where_the_parts_are(self, default: Synthesised) -> None:
        outputs = {name: as_text(output["Value"]) for name, output in default.template["Outputs"].items()}
        published = deployment(default)
        assert published["intake_bucket"] == outputs["IntakeBucketName"]
        assert published["lake_bucket"] == outputs["LakeBucketName"]
        assert published["turn_machine_arn"] == outputs["TurnMachineArn"]
        assert published["turn_queue_url"] == outputs["TurnQueueUrl"]
        assert published["promotion_machine_arn"] == outputs["PromotionMachineArn"]
        assert published["promotion_queue_url"] == outputs["PromotionQueueUrl"]
        assert published["topic_arn"] == outputs["TopicArn"]

    def test_says_what_the_settings_are(self, new_key: Synthesised) -> None:
        published = deployment(new_key)
        assert published["mode"] == "MULTI_LABEL"
        assert published["labels"] == ["COMEDY", "DRAMA"]
        assert published["label_delimiter"] == "|"
        assert published["language"] == "en"

    def test_says_how_every_parameter_is_tuned(self, default: Synthesised) -> None:
        published = set(PARAMETERS["flywheel"]) - {"TrustedAccounts"}
        assert deployment(default)["parameters"] == {name: f"<{name}>" for name in published}

    def test_has_the_members_that_the_reference_names(self, default: Synthesised, importing: Synthesised) -> None:
        of_imports = set(deployment(importing))
        for kind, name in (
            ("flywheel", "deployment"),
            ("serving", "serving"),
            ("serving", "api"),
            ("analysis", "analysis"),
        ):
            value = as_text(resource_parameter(default.beside(kind), name)["Value"])
            members = {member for member in quoted(STORED[name]["value"]) if re.fullmatch(r"[a-z_]+", member)}
            only_there = of_imports - set(json.loads(value)) if name == "deployment" else set()
            assert members - {"none"} == set(json.loads(value)) | only_there, name

    def test_never_holds_what_belongs_to_run_time(self, any_variant: Synthesised) -> None:
        at_run_time = {name for name, row in STORED.items() if row["written by"].startswith("pipeline")}
        assert at_run_time == {*RUN_TIME_NAMES, ENDPOINT}
        without_key = {"key-arn"} if any_variant.name in {"news", "people", "served"} else set()
        for stack in (any_variant.first, any_variant.beside("serving"), any_variant.beside("analysis")):
            stored = stack.of_type("AWS::SSM::Parameter")
            names = {found.properties["Name"].rsplit("/", 1)[1] for found in stored}
            writer = f"{stack.stack.rpartition('-')[2].title()} stack"
            expected = {name for name, row in STORED.items() if writer in row["written by"].split(", ")}
            assert names == expected - without_key

    def test_leaves_out_labels_for_which_it_has_no_room(self, organisation: Synthesised) -> None:
        assert deployment(organisation)["labels"] is None
        config = organisation.one("Flywheel", "AWS::Comprehend::Flywheel").properties["TaskConfig"]
        assert len(config["DocumentClassificationConfig"]["Labels"]) == 1000
