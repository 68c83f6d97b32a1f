# Puts the pinned release at /testbed and installs it from there, as `pip install -e .` of an eval script does again.
set -euo pipefail
umask 022
python=/opt/miniconda3/envs/testbed/bin/python
export PYTHONDONTWRITEBYTECODE=1

"$python" -m pip install --no-cache-dir --no-deps --requirement /opt/testbed/requirements.txt
# pip asks a source distribution for its metadata before it keeps it; what that needs is installed already.
"$python" -m pip download --no-cache-dir --no-deps --no-binary :all: --no-build-isolation --require-hashes \
  --dest /tmp/sdist --requirement /opt/testbed/sdist.txt
mkdir /testbed
tar --extract --file /tmp/sdist/*.tar.gz --directory /testbed --strip-components 1 --no-same-owner --no-same-permissions
rm -r /tmp/sdist
cd /testbed
"$python" -m pip install --no-cache-dir --no-deps --no-build-isolation --editable .
# What a release has and a checkout has not, and what the installation left.
rm -rf PKG-INFO build ./*.egg-info src/*.egg-info
if [ -e /opt/testbed/left-out.txt ]; then xargs --arg-file=/opt/testbed/left-out.txt rm --; fi
