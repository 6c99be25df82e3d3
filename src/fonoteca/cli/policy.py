"""The setting that says what is published, checked: every command that asks the gate needs it."""

from __future__ import annotations

from fonoteca.cli.context import Context


def publication_policy(context: Context) -> str:
    """``all`` or ``free``.

    Raises:
        Usage: ``bad-setting``: another word, and where it stands.
    """
    from fonoteca.rights.of_archive import publication_policy as of_settings

    return of_settings(context.settings)
