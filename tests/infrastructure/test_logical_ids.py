"""The logical ids of what holds data or state, or is addressed from outside the stack.

Another id would make CloudFormation replace what is deployed: a bucket that nobody reads any more, a queue without its
messages, a policy that people's roles have lost. Whoever changes a table here means that.
"""

from __future__ import annotations

import pytest

from tests.infrastructure.conftest import Synthesis

Table = dict[str, set[str]]
"""Logical ids by the type of the resource."""

FLYWHEEL: Table = {
    "AWS::S3::Bucket": {"BucketsAccessLogsA5F88218", "BucketsIntake5CCA7222", "BucketsLake7E5C8A08"},
    "AWS::Comprehend::Flywheel": {"Flywheel9C5857AB"},
    "AWS::SQS::Queue": {
        "QueuesTurnDeadLetters1D1123EC",
        "QueuesPromotionDeadLetters3C46F395",
        "QueuesUndelivered054FE721",
        "QueuesTurns88853AC3",
        "QueuesPromotionsB2B932D2",
    },
    "AWS::SNS::Topic": {"NotificationsTopicAE679CBD"},
    "AWS::SNS::Subscription": {"NotificationsEmailCA79FDFF"},
    "AWS::SSM::Parameter": {
        "DeploymentFlywheelArn127E514B",
        "DeploymentCA83296C",
        "DeploymentIntakeBucket69946D35",
        "DeploymentTopicArn6A500A78",
    },
    "AWS::StepFunctions::StateMachine": {"TurnMachine266FB739", "PromoteMachineD3A53428"},
    "AWS::IAM::ManagedPolicy": {
        "PeopleTrainingUploadersPolicy2FF14403",
        "PeopleTestUploadersPolicy1808D640",
        "PeopleRejectedReviewersPolicy3C25B5E5",
        "PeopleOperatorsPolicy51A04331",
        "PeopleApproversPolicyF68DF5E2",
        "PeopleReviewersPolicy7E356FF5",
    },
    "Custom::RuntimeParameters": {"RuntimeParameters669DEF77"},
    "Custom::ModelSharing": {"SharingTrustedAccounts34A72204"},
    "AWS::IAM::Role": {"DataAccessServiceRole62AAA680"},
    "AWS::Lambda::Function": {
        "StepsBeginTurnFunctionFA98ACAC",
        "StepsPrepareUploadFunctionF1DBCA65",
        "StepsComposeDatasetsFunctionBBAA85FC",
        "StepsRegisterDatasetFunction55BE0DD8",
        "StepsAcceptDatasetFunction4B95A7C7",
        "StepsRunIterationFunction6E108D1C",
        "StepsPrepareHoldoutFunctionA0DFBEC8",
        "StepsPredictHoldoutFunctionA69E92A4",
        "StepsCompareMetricsFunctionD7917EE2",
        "StepsRequestPromotionFunction3ADC014D",
        "StepsDeleteOldModelsFunction7228706A",
        "StepsReportTurnFunction7877217D",
        "TriggersStartTurnFunction55921880",
        "PromotionStepsBeginPromotionFunction628707CE",
        "PromotionStepsCheckModelFunction02442AA2",
        "PromotionStepsAskForApprovalFunction96F160DD",
        "PromotionStepsUpdateActiveModelFunctionA18156E3",
        "PromotionStepsPublishModelFunctionDE7EBC13",
        "PromotionStepsReportPromotionFunction7EF6F181",
        "PromotionTriggersStartPromotionFunctionD633D61A",
        "RuntimeParametersDeleteRuntimeParametersFunction4CF04682",
        "SharingShareModelFunctionE1E1EB1D",
        "ReviewPublishAnswersFunctionDFD94022",
    },
    "AWS::Logs::LogGroup": {
        "StepsBeginTurnLogs36A8DA06",
        "StepsPrepareUploadLogs69CB67D6",
        "StepsComposeDatasetsLogsD70A874F",
        "StepsRegisterDatasetLogs99D9649E",
        "StepsAcceptDatasetLogs4AFBD0DE",
        "StepsRunIterationLogs8ED29CE9",
        "StepsPrepareHoldoutLogs7298FF6B",
        "StepsPredictHoldoutLogsC57BA9A0",
        "StepsCompareMetricsLogsB77162B0",
        "StepsRequestPromotionLogs542E5D45",
        "StepsDeleteOldModelsLogs848CAC85",
        "StepsReportTurnLogsB298EE9C",
        "TurnMachineLogsAA3361FE",
        "TriggersStartTurnLogs6A6330C0",
        "PromotionStepsBeginPromotionLogs238F6EC1",
        "PromotionStepsCheckModelLogs2951FB71",
        "PromotionStepsAskForApprovalLogs28EB1BEF",
        "PromotionStepsUpdateActiveModelLogs445E48BD",
        "PromotionStepsPublishModelLogs0C51CC3F",
        "PromotionStepsReportPromotionLogs69ED5DF8",
        "PromoteMachineLogs5D2141F3",
        "PromotionTriggersStartPromotionLogs8C449D69",
        "RuntimeParametersDeleteRuntimeParametersLogsF8524FE6",
        "SharingShareModelLogs0F22D267",
        "ReviewPublishAnswersLogs3A4D1B44",
    },
}
SERVING: Table = {
    "AWS::SQS::Queue": {"TriggersUndeliveredBBF71553"},
    "AWS::SSM::Parameter": {"ServingWish459DC18D", "ApiPublishedA06F0219"},
    "AWS::StepFunctions::StateMachine": {"ServeMachineD968EACC"},
    "AWS::ApiGateway::RestApi": {"ApiCD79AAA0"},
    "AWS::ApiGateway::Stage": {"ApiDeploymentStagelive81577178"},
    "AWS::ApiGateway::Account": {"ApiLogAccessAccount10D90F26"},
    "AWS::IAM::ManagedPolicy": {"ApiCallersPolicyB04285F4", "ApiFeedbackCallersPolicyAAEB514A"},
    "Custom::EndpointRemoval": {"Removal4702259B"},
    "AWS::IAM::Role": {"ApiLogAccessRoleECD510C5"},
    "AWS::Lambda::Function": {
        "StepsBringEndpointFunction321ACAA3",
        "StepsSmokeTestFunctionE41F13C2",
        "StepsReportServingFunctionADD2D6A4",
        "RemovalRemoveEndpointFunctionCDCD543C",
        "ApiClassifyFunction45002601",
        "ApiTakeFeedbackFunction40702806",
    },
    "AWS::Logs::LogGroup": {
        "StepsBringEndpointLogsFF0DA8A9",
        "StepsSmokeTestLogs5517AA9C",
        "StepsReportServingLogs6F4F5FB3",
        "ServeMachineLogsAEC2078E",
        "RemovalRemoveEndpointLogs3A5B52A1",
        "ApiClassifyLogs5D4CABF4",
        "ApiTakeFeedbackLogs15C33441",
        "ApiAccess24BB9D1D",
    },
}
ANALYSIS: Table = {
    "AWS::SQS::Queue": {"QueuesJobDeadLetters751D9973", "QueuesUndelivered054FE721", "QueuesJobs403F2492"},
    "AWS::SSM::Parameter": {"Published"},
    "AWS::StepFunctions::StateMachine": {"AnalyzeMachine84C1EBF1"},
    "AWS::IAM::Role": {"DataAccessServiceRole62AAA680"},
    "AWS::Lambda::Function": {
        "StepsBeginAnalysisFunction93F1FA98",
        "StepsSplitAnalysisFunctionE8D5569F",
        "StepsPlanAnalysisFunctionEF7FA2EE",
        "StepsClassifyPartFunction0C55B5CA",
        "StepsCollectPartFunction8056AA8E",
        "StepsJoinAnalysisFunction86E88A4B",
        "StepsReportAnalysisFunction4CFA1B26",
        "TriggersStartAnalysisFunction79AA8DBF",
    },
    "AWS::Logs::LogGroup": {
        "StepsBeginAnalysisLogs49D20604",
        "StepsSplitAnalysisLogsA7702EFE",
        "StepsPlanAnalysisLogs89422042",
        "StepsClassifyPartLogs28267470",
        "StepsCollectPartLogs753EC0F8",
        "StepsJoinAnalysisLogs9FA4B826",
        "StepsReportAnalysisLogsBE4550B6",
        "AnalyzeMachineLogs0E424297",
        "TriggersStartAnalysisLogs1950DC28",
    },
}
TABLES = {"flywheel": FLYWHEEL, "serving": SERVING, "analysis": ANALYSIS}
WITH_A_KEY: dict[str, Table] = {
    "flywheel": {"AWS::SSM::Parameter": {"DeploymentKeyArn06704D80"}},
    "serving": {"AWS::IAM::Role": {"EndpointAccessServiceRoleF888444F"}},
}
WITH_A_NEW_KEY: dict[str, Table] = {"flywheel": {"AWS::KMS::Key": {"EncryptionKey3A692D6E"}}}
WITH_AN_INITIAL_MODEL: dict[str, Table] = {
    "flywheel": {
        "Custom::FlywheelWithModel": {"CreationFlywheelAE355716"},
        "AWS::StepFunctions::StateMachine": {"CreationCreateMachine2EA42646"},
        "AWS::Lambda::Function": {
            "CreationProvideFlywheelFunction73D61B9A",
            "CreationStepsChangeFlywheelFunctionA77F1225",
            "CreationStepsReportFlywheelFunctionE03482DC",
        },
        "AWS::Logs::LogGroup": {
            "CreationProvideFlywheelLogsDC1C57BF",
            "CreationStepsChangeFlywheelLogs0D9518C1",
            "CreationStepsReportFlywheelLogsBE6B99EF",
            "CreationCreateMachineLogs1DC1F07B",
        },
    }
}
MORE: dict[str, list[dict[str, Table]]] = {
    "default": [],
    "initial-model": [WITH_AN_INITIAL_MODEL],
    "new-key": [WITH_A_KEY, WITH_A_NEW_KEY],
    "organisation": [WITH_A_KEY],
}
"""What the variants have besides."""
LESS = {"initial-model": FLYWHEEL["AWS::Comprehend::Flywheel"]}
ROLES = "AWS::IAM::Role"
"""Only those that policies of others may name, or that stay when the stack goes. Of the other types, all."""


@pytest.mark.parametrize("variant", MORE)
@pytest.mark.parametrize("kind", TABLES)
def test_an_update_replaces_nothing_that_holds_data(synthesis: Synthesis, variant: str, kind: str) -> None:
    stack = synthesis(variant).beside(kind)
    pinned = [TABLES[kind], *(more[kind] for more in MORE[variant] if kind in more)]
    tables = [*TABLES.values(), *WITH_A_NEW_KEY.values(), *WITH_AN_INITIAL_MODEL.values()]
    for type_ in {type_ for table in tables for type_ in table}:
        expected = {logical_id for table in pinned for logical_id in table.get(type_, set())} - LESS.get(variant, set())
        found = {resource.logical_id for resource in stack.of_type(type_)}
        assert expected <= found if type_ == ROLES else expected == found, type_
