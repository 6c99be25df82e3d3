"""The setting that says what is published, checked: every command that asks the gate needs it."""

from __future__ import annotations

from fonoteca.cli.context import Context
from fonoteca.core.errors import Usage


def publication_policy(context: Context) -> str:
    """``all`` or ``free``.

    Raises:
        Usage: ``bad-setting``: another word, and where it stands.
    """
    from fonoteca.rights.policy import POLICIES

    policy = context.settings.text("policy.publish")
    if policy not in POLICIES:
        origin = context.settings.origin("policy.publish").origin
        raise Usage("bad-setting", "The setting policy.publish could not be read",
                    f"{policy!r} (from {origin}) is neither 'all' nor 'free'", "write policy.publish = 'all' or 'free'",
                    "policy.publish")  # fmt: skip
    return policy
