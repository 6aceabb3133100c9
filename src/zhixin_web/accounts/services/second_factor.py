"""The second factor: enrols an authenticator app and checks its six digits."""

from __future__ import annotations

from django_otp.plugins.otp_totp.models import TOTPDevice

from zhixin_web.accounts.models import User

DIGITS = 6


def device_of(user: User) -> TOTPDevice:
    """Return the authenticator of an account; one that waits for its first code where there is none."""
    return TOTPDevice.objects.filter(user=user).first() or TOTPDevice.objects.create(user=user, name="app", confirmed=False)


def accepts(device: TOTPDevice, code: str) -> bool:
    """Check a code, which works once; the first right one confirms the authenticator."""
    is_allowed, _why = device.verify_is_allowed()
    if not is_allowed or not device.verify_token(code.strip()[:DIGITS]):
        return False
    device.confirmed = True
    device.save()
    return True
