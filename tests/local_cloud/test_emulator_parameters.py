"""IAM on the calls that name several parameters."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_role


def test_each_parameter_of_a_call_is_authorised(account: CloudAccount) -> None:
    for name in ("/mine/a", "/mine/b", "/theirs"):
        account.client("ssm").put_parameter(Name=name, Value="value", Type="String")
    mine = f"arn:aws:ssm:{account.region}:{account.account}:parameter/mine/*"
    actions = ("ssm:GetParameters", "ssm:DeleteParameters")
    role = create_role(account, allow(*actions, on=mine), trusted={"AWS": account.account})
    ssm = account.client("ssm", role_arn=role)
    for names in (["/mine/a", "/theirs"], ["/theirs", "/mine/a"]):
        with pytest.raises(ClientError, match="AccessDenied"):
            ssm.delete_parameters(Names=names)
    assert {found["Name"] for found in ssm.get_parameters(Names=["/mine/a", "/mine/b"])["Parameters"]} == {
        "/mine/a",
        "/mine/b",
    }
    assert ssm.delete_parameters(Names=["/mine/a", "/mine/b"])["DeletedParameters"] == ["/mine/a", "/mine/b"]
