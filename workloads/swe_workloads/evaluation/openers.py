"""How addresses that rows name are opened: https: and what else is wanted, and nothing of this machine."""

import ssl
import urllib.request
from typing import Any


class UnreadRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections without what is written on them: a page without an end would fill the memory."""

    def http_error_302(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any) -> Any:
        fp.close()
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def closed_opener(trust: ssl.SSLContext, *more: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """With `more` handlers than those of https:. Where none of http:, file: or ftp: is among them, no redirection and
    no challenge leads there either.
    """
    opener = urllib.request.OpenerDirector()
    for handler in (
        *more,
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=trust),
        UnreadRedirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
