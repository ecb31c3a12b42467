"""`flywheel validate`, `flywheel upload` and `flywheel rejected`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import CredentialRetrievalError, EndpointConnectionError, NoCredentialsError, NoRegionError

from flywheel.preparation import LabelRules, UploadOptions
from flywheel.preparation.entities import EntityRules
from flywheel.records.uploads import Split
from ops.commands.invocation import Invocation, JsonOption, invocation_of, show
from ops.commands.progress import upload_display, waiting_display, words_for
from ops.deployment.errors import FileError, ImportsModelsError, NoDeploymentError
from ops.deployment.published import SETTINGS_FILE, Deployment
from ops.tables.terminal import asks_a_person, remark, side_console
from ops.tables.uploads import report_text, results_table, uploaded_table
from ops.verbs import rejected as rejections
from ops.verbs import upload as uploads
from ops.verbs import validate as checks
from ops.verbs.file_labels import Kind, agree_on_labels, find_labels, find_types

Files = Annotated[
    list[Path],
    typer.Argument(
        help="Files with documents and labels. For a recognizer also folders whose files belong together.",
        show_default=False,
    ),
]


def validate(
    context: typer.Context,
    files: Files,
    label: Annotated[
        list[str] | None,
        typer.Option(help="A label or entity type, once for each; then no deployment is asked for them and limits."),
    ] = None,
    labels_from_file: Annotated[
        bool, typer.Option("--labels-from-file", help="Take the labels that the files hold: for a first look at them.")
    ] = False,
    kind: Annotated[
        Kind, typer.Option(help="With --label and --labels-from-file: what the files are for.")
    ] = Kind.CLASSES,
    multi_label: Annotated[
        bool, typer.Option("--multi-label", help="With --label: documents may have several.")
    ] = False,
    delimiter: Annotated[
        str, typer.Option(help="With --label and --labels-from-file: what joins several labels.")
    ] = "|",
    as_json: JsonOption = False,
) -> None:
    """Check files by the pipeline's own rules before uploading. Exit status 1 if one would be rejected whole.

    The labels, or entity types, are those of the deployment; where none is found, those of the cdk.json in this folder.
    """
    uploads.check_paths(files, folders=True)
    options = UploadOptions()
    if label and labels_from_file:
        raise typer.BadParameter("give --label or --labels-from-file, not both")
    if label:
        try:
            rules = _rules(tuple(label), kind=kind, multi_label=multi_label, delimiter=delimiter)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    elif labels_from_file:
        if kind is Kind.ENTITIES:
            found = find_types(files)
        else:
            found = find_labels(files, mode="MULTI_LABEL" if multi_label else None, label_delimiter=delimiter)
        agree_on_labels(found, confirm=asks_a_person(), instead="Correct the files, or name the labels with --label.")
        rules = _rules(found.labels, kind=kind, multi_label=found.mode == "MULTI_LABEL", delimiter=delimiter)
    else:
        rules, options = _deployed_rules(invocation_of(context))
    with waiting_display(f"Checking {words_for(files)}"):
        results = checks.validate(files, rules=rules, options=options)
    show(results, as_json=as_json, table=lambda found: report_text("\n".join(each.report for each in found)))
    if not all(result.accepted for result in results):
        raise typer.Exit(1)


def upload(
    context: typer.Context,
    files: Files,
    test: Annotated[bool, typer.Option("--test", help="They are test data, to score models with.")] = False,
    validate_first: Annotated[
        bool, typer.Option("--validate", help="Upload nothing if one would be rejected whole.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Upload training files (test files with --test), each under its own name.

    The files of a folder, which the flywheel of a recognizer takes, are one upload.
    """
    uploads.check_paths(files, folders=True)
    uploads.check_names(files)
    deployment = invocation_of(context).deployment()
    if validate_first:
        _refuse_bad_files(deployment, files)
    with upload_display([file for path in files for file in uploads.files_of(path)]) as advance:
        uploaded = uploads.upload(deployment, files, Split.TEST if test else Split.TRAIN, on_bytes=advance)
    show(uploaded, as_json=as_json, table=uploaded_table)


def rejected(
    context: typer.Context,
    upload_id: Annotated[
        str | None, typer.Argument(metavar="[UPLOAD]", help="An upload's id, key or file name.", show_default=False)
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="With UPLOAD: download what was rejected and its report into this folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the uploads of which something was rejected, or show one's report line by line."""
    if upload_id is None and save is not None:
        raise typer.BadParameter("say which upload to save: `flywheel rejected UPLOAD --save FOLDER`")
    deployment = invocation_of(context).deployment()
    if upload_id is None:
        show(rejections.list_rejected(deployment), as_json=as_json, table=results_table)
        return
    found = rejections.find_rejected(deployment, upload_id)
    if save is not None:
        for file in rejections.save_rejected(deployment, found.id, save):
            remark(f"Saved {file}")
    show(found, as_json=as_json, table=lambda found: report_text(found.report))


def _rules(labels: tuple[str, ...], *, kind: Kind, multi_label: bool, delimiter: str) -> checks.Rules:
    """Raises ValueError."""
    if kind is Kind.ENTITIES:
        return EntityRules(types=labels)
    return LabelRules(labels=labels, multi_label=multi_label, delimiter=delimiter)


def _deployed_rules(invocation: Invocation) -> tuple[checks.Rules, UploadOptions]:
    """Of the deployment, or of the settings in this folder where AWS cannot be asked or knows of none."""
    try:
        deployment = invocation.deployment()
    except ImportsModelsError:
        raise
    except (NoDeploymentError, NoRegionError, CredentialRetrievalError, NoCredentialsError, EndpointConnectionError):
        rules = None if invocation.name or invocation.region else checks.rules_of_settings(Path.cwd())
        if rules is None:
            raise
        remark(f"No deployment was found: the labels are those of {SETTINGS_FILE} in this folder.")
        return rules, UploadOptions()
    return checks.rules_of(deployment), checks.options_of(deployment)


def _refuse_bad_files(deployment: Deployment, files: list[Path]) -> None:
    """Raises FileError; the reports of what is wrong go to standard error."""
    results = checks.validate(files, rules=checks.rules_of(deployment), options=checks.options_of(deployment))
    for result in results:
        if not result.accepted or result.bad_lines:
            side_console().print(report_text(result.report), soft_wrap=True)
    refused = [result.path for result in results if not result.accepted]
    if refused:
        raise FileError(
            f"Nothing was uploaded: the pipeline would reject {', '.join(refused)}. "
            "`flywheel validate` shows every problem; without --validate the files are uploaded anyway."
        )
