"""Buckets, key, flywheel and the role of Comprehend."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.conftest import KEY
from tests.infrastructure.synthesised import Resource, Synthesised, as_list, as_text, inline_statements, statements
from tests.infrastructure.test_functions import grants, spoken


def bucket(stack: Synthesised, name: str) -> Resource:
    return stack.one(name, "AWS::S3::Bucket")


def encryption(found: Resource) -> dict[str, Any]:
    (rule,) = found.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default: dict[str, Any] = rule["ServerSideEncryptionByDefault"]
    return default


class TestBuckets:
    def test_are_there(self, any_variant: Synthesised) -> None:
        lake = [] if any_variant.imports else ["BucketsLake"]
        found = [found.logical_id[:-8] for found in any_variant.of_type("AWS::S3::Bucket")]
        assert sorted(found) == sorted(["BucketsAccessLogs", "BucketsIntake", *lake])

    def test_are_versioned_private_and_kept(self, any_variant: Synthesised) -> None:
        for found in any_variant.of_type("AWS::S3::Bucket"):
            assert found.properties["VersioningConfiguration"] == {"Status": "Enabled"}
            assert set(found.properties["PublicAccessBlockConfiguration"].values()) == {True}
            assert len(found.properties["PublicAccessBlockConfiguration"]) == 4
            assert found.body["DeletionPolicy"] == found.body["UpdateReplacePolicy"] == "Retain"
            assert "BucketName" not in found.properties

    def test_refuse_plain_http(self, any_variant: Synthesised) -> None:
        policies = {
            found.properties["Bucket"]["Ref"]: found.properties["PolicyDocument"]
            for found in any_variant.of_type("AWS::S3::BucketPolicy")
        }
        for found in any_variant.of_type("AWS::S3::Bucket"):
            logical_id = found.logical_id
            (denied,) = [s for s in statements(policies[logical_id]) if s["Effect"] == "Deny"]
            assert denied["Principal"] == {"AWS": "*"}
            assert denied["Action"] == "s3:*"
            assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            assert [as_text(part) for part in denied["Resource"]] == [f"<{logical_id}.Arn>", f"<{logical_id}.Arn>/*"]

    @pytest.mark.parametrize("name", ["BucketsIntake", "BucketsLake"])
    def test_log_who_reads_and_writes(self, default: Synthesised, name: str) -> None:
        logging = bucket(default, name).properties["LoggingConfiguration"]
        assert logging["DestinationBucketName"] == {"Ref": bucket(default, "BucketsAccessLogs").logical_id}

    def test_intake_tells_event_bridge(self, default: Synthesised) -> None:
        notifications = bucket(default, "BucketsIntake").properties["NotificationConfiguration"]
        assert notifications == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}

    def test_old_versions_of_what_is_ours_expire_and_current_ones_never(self, default: Synthesised) -> None:
        rules = bucket(default, "BucketsIntake").properties["LifecycleConfiguration"]["Rules"]
        assert {rule["Status"] for rule in rules} == {"Enabled"}
        assert [rule["NoncurrentVersionExpiration"] for rule in rules if "NoncurrentVersionExpiration" in rule]
        assert [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]
        expiring = [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule or "Transitions" in rule]
        assert expiring == [
            "analysis/jobs/",
            "review/waiting/",
            "review/items/",
            "review/forgotten/",
            "predictions/",
        ], "only what can be made again expires, texts that were kept to be reviewed, and what says of them"

    def test_the_lake_is_left_alone(self, any_flywheel: Synthesised) -> None:
        assert "LifecycleConfiguration" not in bucket(any_flywheel, "BucketsLake").properties

    def test_are_encrypted_with_the_key_of_the_settings(
        self, default: Synthesised, new_key: Synthesised, organisation: Synthesised
    ) -> None:
        for name in ("BucketsIntake", "BucketsLake"):
            assert encryption(bucket(default, name)) == {"SSEAlgorithm": "AES256"}
            made, given = encryption(bucket(new_key, name)), encryption(bucket(organisation, name))
            assert made["SSEAlgorithm"] == given["SSEAlgorithm"] == "aws:kms"
            assert spoken(made["KMSMasterKeyID"]) == "key"
            assert given["KMSMasterKeyID"] == KEY

    def test_access_logs_have_the_encryption_that_s3_can_log_to(self, any_variant: Synthesised) -> None:
        assert encryption(bucket(any_variant, "BucketsAccessLogs")) == {"SSEAlgorithm": "AES256"}


class TestKey:
    def test_exists_only_where_it_is_asked_for(
        self, default: Synthesised, new_key: Synthesised, organisation: Synthesised
    ) -> None:
        assert default.of_type("AWS::KMS::Key") == organisation.of_type("AWS::KMS::Key") == []
        (key,) = new_key.of_type("AWS::KMS::Key")
        assert key.properties["EnableKeyRotation"] is True
        assert key.body["DeletionPolicy"] == "Retain"

    def test_lets_each_service_that_sends_or_logs_through(self, new_key: Synthesised) -> None:
        (key,) = new_key.of_type("AWS::KMS::Key")
        found = {
            as_text(statement["Principal"]["Service"]): statement
            for statement in statements(key.properties["KeyPolicy"])
            if "Service" in statement.get("Principal", {})
        }
        arn = "arn:<AWS::Partition>"
        here = "<AWS::Region>:<AWS::AccountId>"
        logs = found.pop("logs.<AWS::Region>.amazonaws.com")
        assert {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"} <= set(logs["Action"])
        assert {name: as_text(value) for name, value in logs["Condition"]["ArnLike"].items()} == {
            "kms:EncryptionContext:aws:logs:arn": f"{arn}:logs:{here}:log-group:*"
        }
        events, alarms = found.pop("events.amazonaws.com"), found.pop("cloudwatch.amazonaws.com")
        assert events["Action"] == alarms["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert as_text(alarms["Condition"]["ArnLike"]["aws:SourceArn"]) == f"{arn}:cloudwatch:{here}:alarm:*"
        # With one EventBridge may drop events without a word; the policies of the queues name the rules.
        assert "Condition" not in events
        assert found == {}


def flywheel(stack: Synthesised) -> Resource:
    """Of either kind: AWS's own type, or the one that begins with a model."""
    (found,) = [*stack.of_type("AWS::Comprehend::Flywheel"), *stack.of_type("Custom::FlywheelWithModel")]
    return found


class TestFlywheel:
    def test_names_no_active_model(self, any_variant: Synthesised) -> None:
        assert "ActiveModelArn" not in any_variant.template_path.read_text()

    def test_is_what_the_settings_say(self, default: Synthesised, new_key: Synthesised) -> None:
        news = default.one("Flywheel", "AWS::Comprehend::Flywheel").properties
        assert news["ModelType"] == "DOCUMENT_CLASSIFIER"
        assert news["TaskConfig"] == {
            "LanguageCode": "en",
            "DocumentClassificationConfig": {
                "Mode": "MULTI_CLASS",
                "Labels": ["BUSINESS", "SCI_TECH", "SPORTS", "WORLD"],
            },
        }
        films = new_key.one("Flywheel", "AWS::Comprehend::Flywheel").properties
        assert films["TaskConfig"]["DocumentClassificationConfig"] == {
            "Mode": "MULTI_LABEL",
            "Labels": ["COMEDY", "DRAMA"],
        }

    def test_the_lake_uri_reads_back_as_it_was_written(self, any_flywheel: Synthesised) -> None:
        uri = as_text(flywheel(any_flywheel).properties["DataLakeS3Uri"])
        assert uri == f"s3://<{bucket(any_flywheel, 'BucketsLake').logical_id}>/flywheels/"

    def test_a_replaced_one_is_kept_and_a_destroyed_one_is_not(self, any_flywheel: Synthesised) -> None:
        found = flywheel(any_flywheel)
        assert (found.body["UpdateReplacePolicy"], found.body["DeletionPolicy"]) == ("Retain", "Delete")

    def test_waits_for_the_role_with_its_permissions(self, any_flywheel: Synthesised) -> None:
        role = any_flywheel.role_of(flywheel(any_flywheel).properties["DataAccessRoleArn"])
        assert inline_statements(role)
        attached = [found for kind in ("Policy", "RolePolicy") for found in any_flywheel.of_type(f"AWS::IAM::{kind}")]
        assert attached == []

    def test_security_is_absent_or_whole(
        self, default: Synthesised, new_key: Synthesised, organisation: Synthesised
    ) -> None:
        def security(stack: Synthesised) -> Any:
            return stack.one("Flywheel", "AWS::Comprehend::Flywheel").properties.get("DataSecurityConfig")

        assert security(default) is None
        (key,) = new_key.of_type("AWS::KMS::Key")
        made = {"Fn::GetAtt": [key.logical_id, "Arn"]}
        assert security(new_key) == {"DataLakeKmsKeyId": made, "ModelKmsKeyId": made, "VolumeKmsKeyId": made}
        assert security(organisation) == {
            "DataLakeKmsKeyId": KEY,
            "ModelKmsKeyId": KEY,
            "VolumeKmsKeyId": KEY,
            "VpcConfig": {"SecurityGroupIds": ["sg-12345678"], "Subnets": ["subnet-12345678"]},
        }


class TestDataAccessRole:
    @pytest.fixture
    def role(self, default: Synthesised) -> Resource:
        return default.one("DataAccess", "AWS::IAM::Role")

    @pytest.mark.parametrize("kind", ["flywheel", "analysis"])
    def test_trusts_comprehend_for_this_account_and_region_only(self, default: Synthesised, kind: str) -> None:
        role = default.beside(kind).one("DataAccess", "AWS::IAM::Role")
        (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "comprehend.amazonaws.com"}
        condition = trust["Condition"]
        assert condition.pop("StringEquals") == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        # That Comprehend names a resource is documented for endpoints and custom models only.
        source = condition.pop("ArnLikeIfExists")
        assert as_text(source.pop("aws:SourceArn")) == (
            "arn:<AWS::Partition>:comprehend:<AWS::Region>:<AWS::AccountId>:*"
        )
        assert (source, condition) == ({}, {})

    def test_reads_datasets_and_holdouts_writes_predictions_and_works_in_the_lake(
        self, default: Synthesised, role: Resource
    ) -> None:
        lake = f"<{bucket(default, 'BucketsLake').logical_id}.Arn>"
        assert grants(inline_statements(role)) == {
            "s3:ListBucket": {"intake", lake},
            "s3:GetBucketLocation": {lake},
            "s3:GetObject": {"datasets/*", "evaluations/holdouts/*", f"{lake}/*"},
            "s3:PutObject": {"evaluations/predictions/*", f"{lake}/*"},
            "s3:DeleteObject": {f"{lake}/*"},
            "s3:AbortMultipartUpload": {f"{lake}/*"},
            "s3:ListMultipartUploadParts": {f"{lake}/*"},
        }

    def test_uses_the_key_for_data_by_way_of_s3_and_for_models_and_volumes_itself(self, new_key: Synthesised) -> None:
        using = [
            (statement["Action"], "Condition" in statement)
            for statement in inline_statements(new_key.one("DataAccess", "AWS::IAM::Role"))
            if any(action.startswith("kms:") for action in as_list(statement["Action"]))
        ]
        assert using == [
            (["kms:Decrypt", "kms:GenerateDataKey"], True),
            (["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"], False),
        ]

    def test_makes_network_interfaces_only_for_training_in_a_vpc(
        self, default: Synthesised, organisation: Synthesised
    ) -> None:
        def network(stack: Synthesised) -> list[str]:
            role = stack.one("DataAccess", "AWS::IAM::Role")
            actions = [action for s in inline_statements(role) for action in as_list(s["Action"])]
            return [action for action in actions if action.startswith("ec2:")]

        assert network(default) == []
        assert {"ec2:CreateNetworkInterface", "ec2:DescribeDhcpOptions", "ec2:DescribeVpcs"} <= set(
            network(organisation)
        )
