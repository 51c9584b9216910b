"""Ends with 0 where this container's web server serves a page: `python -P config/health.py`.

Asks as the reverse proxy does, for the site's own name and over TLS.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

peer = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=5)
peer.request(
    "GET", "/", headers={"Host": urlsplit(os.environ["SITE_URL"]).netloc, "X-Forwarded-Proto": "https"}
)
sys.exit(peer.getresponse().status != 200)
