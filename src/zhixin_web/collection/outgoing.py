"""Requests that the site makes to addresses somebody typed: resolved once, checked, and sent to what was checked.

A name that resolves to the machine itself, to a private or link-local network or to a cloud's metadata service is refused, in any
spelling (decimal, octal, short, IPv4 inside IPv6), unless the operator allows the network (``ZHIXIN_OUTGOING_NETWORKS``). The
connection goes to the address that was checked, so a name that resolves to another one a moment later changes nothing.
Redirects are not followed and proxies of the environment are not used: either would lead elsewhere.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
TIMEOUT = httpx.Timeout(10.0, read=20.0)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""The only IPv6 addresses that are assigned to the public (RFC 4291, 2.4); Python calls many others global."""


@dataclass(frozen=True)
class Target:
    """An address that was resolved and checked: the URL as typed, and the IP address to connect to."""

    url: httpx.URL
    ip: IPAddress


def checked(address: str) -> Target:
    """Resolve and check an address.

    Raises:
        ValidationError: not http(s), with a user name or password in it, unknown, or inside a network that is not allowed.
    """
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValidationError(_("不是有效的地址")) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ValidationError(_("地址须以 http:// 或 https:// 开头"))
    if url.userinfo:
        raise ValidationError(_("地址中不能写用户名或口令；请填在「凭据」一栏"))
    found = _resolved(url)
    refused = next((ip for ip in found if not _is_allowed(ip)), None)
    if refused is not None:
        raise ValidationError(
            _("%(host)s 指向内部网络（%(ip)s），不能拉取；确需访问的网段由运维在 ZHIXIN_OUTGOING_NETWORKS 中放行")
            % {"host": url.host, "ip": refused}
        )
    return Target(url, found[0])


def _resolved(url: httpx.URL) -> list[IPAddress]:
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        answers = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        raise ValidationError(_("找不到主机 %(host)s") % {"host": url.host}) from error
    return [ipaddress.ip_address(str(answer[4][0]).split("%")[0]) for answer in answers]


def _is_allowed(ip: IPAddress) -> bool:
    """Whether an address is public in every reading of it, or in a network that the operator allows."""
    inner = _inner(ip)
    if any(ip in network or inner in network for network in settings.OUTGOING_NETWORKS):
        return True
    readings = (inner,) if ip in NAT64 else (ip, inner)
    return all(map(_is_public, readings))


def _is_public(ip: IPAddress) -> bool:
    return ip.is_global and not ip.is_multicast and (isinstance(ip, ipaddress.IPv4Address) or ip in GLOBAL_UNICAST)


def _inner(ip: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address carries, else the address itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


@contextmanager
def fetched(address: str, credential: str = "") -> Iterator[httpx.Response]:
    """Open a GET to an address; the body streams.

    Raises:
        ValidationError: see :func:`checked`.
        httpx.HTTPError: the exchange failed.
    """
    target = checked(address)
    headers = {"Host": target.url.netloc.decode()}
    if credential:
        headers["Authorization"] = credential
    pinned = target.url.copy_with(host=str(target.ip))
    with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
        request = client.build_request("GET", pinned, headers=headers, extensions={"sni_hostname": target.url.host})
        answer = client.send(request, stream=True)
        try:
            yield answer
        finally:
            answer.close()


def sealed(credential: str) -> str:
    """Encrypt a credential for the database, under a key derived from the secret of the site."""
    return _cipher().encrypt(credential.encode()).decode() if credential else ""


def opened(sealed_credential: str) -> str:
    """Decrypt a credential.

    Raises:
        ValidationError: it was sealed under another secret: type it again.
    """
    if not sealed_credential:
        return ""
    try:
        return _cipher().decrypt(sealed_credential.encode()).decode()
    except InvalidToken as error:
        raise ValidationError(_("凭据是用另一个密钥加密的；请重新填写")) from error


def _cipher() -> Fernet:
    key = HKDF(SHA256(), 32, salt=None, info=b"zhixin outgoing credentials").derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))
