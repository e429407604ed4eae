# Exporter and alert bridge, as small and as powerless as they can be: one image, the command says which.
#   docker build -t tikwatch .
#   docker run -v ./exporter.yml:/etc/tikwatch/exporter.yml:ro -p 127.0.0.1:9436:9436 tikwatch
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src

# What changes seldom comes first: tools to build with, then what runs, each file by its hash.
COPY requirements/build.txt requirements/charts.txt requirements/
RUN python -m venv /build \
    && /build/bin/pip install --require-hashes --requirement requirements/build.txt \
    && python -m venv /opt/tikwatch \
    && /opt/tikwatch/bin/pip install --require-hashes --requirement requirements/charts.txt

COPY pyproject.toml README.md LICENSE ./
COPY routeros routeros
COPY runtime runtime
COPY exporter exporter
COPY alertbridge alertbridge
COPY simulator simulator
RUN /build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . \
    && /opt/tikwatch/bin/pip install --no-deps --no-index /dist/*.whl \
    && /opt/tikwatch/bin/python -m compileall -q /opt/tikwatch/lib \
    && /opt/tikwatch/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tikwatch" \
      org.opencontainers.image.description="Prometheus exporter and alert bridge for networks built on MikroTik RouterOS" \
      org.opencontainers.image.licenses="GPL-2.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

ENV PATH=/opt/tikwatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEALTH_URL=http://127.0.0.1:9436/-/healthy

COPY --from=build /opt/tikwatch /opt/tikwatch

# Where the bridge keeps its store; a new volume takes over who may write here, whatever its number is.
RUN install --directory --mode=1777 /var/lib/tikwatch

# A number, so that a cluster can see that it is not root without knowing our names.
USER 10001:10001
EXPOSE 9436 9437
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['HEALTH_URL'], timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tikwatch-exporter"]
CMD ["serve", "--config", "/etc/tikwatch/exporter.yml"]
