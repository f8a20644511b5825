# syntax=docker/dockerfile:1
# Two images from one file:
#   docker build --target serving -t headrace-serving .        the endpoint alone, without torch
#   docker build --target pipelines -t headrace-pipelines .    flows, training and the Prefect server
# Wheels for a CPU-only torch or from a mirror: --build-arg PIP_INDEX_URL=... --build-arg PIP_EXTRA_INDEX_URL=...

ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/headrace
ENV PATH=/opt/headrace/bin:$PATH
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY data_contracts data_contracts
COPY serving serving
COPY tasks tasks
COPY pipelines pipelines

FROM build AS build-serving
# s3 reads a model store in a bucket.
RUN pip install --constraint constraints.txt '.[serving,s3]' && pip uninstall --yes pip setuptools

FROM build AS build-pipelines
RUN pip install --constraint constraints.txt '.[pipelines,s3]' && pip uninstall --yes pip

FROM ${PYTHON} AS runtime
ENV PATH=/opt/headrace/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false GX_ANALYTICS_ENABLED=false
# A number, so that Kubernetes can see that it is not root.
# A volume that is mounted at /headrace takes over that folder's owner.
RUN groupadd --gid 10001 headrace && useradd --uid 10001 --gid 10001 --create-home headrace && \
    install --directory --owner 10001 --group 10001 /headrace
USER 10001:10001

FROM runtime AS pipelines
COPY --from=build-pipelines /opt/headrace /opt/headrace
ENV HEADRACE_HOME=/headrace
WORKDIR /work
# No entrypoint: Prefect's workers give a container its whole command.
CMD ["headrace", "--help"]

FROM runtime AS serving
COPY --from=build-serving /opt/headrace /opt/headrace
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/v2/health/live', timeout=2)"]
# The endpoint writes nothing: run it with --read-only, the store mounted read-only at /models.
ENTRYPOINT ["python", "-m", "serving"]
CMD ["--store", "/models", "--host", "0.0.0.0", "--port", "8080"]
