FROM python:3.11-slim-bookworm AS build
ARG TOOLS=/opt/tools
ARG HOUSE=/opt/passerelle
WORKDIR /src
COPY requirements-uv.lock requirements.lock ./
RUN python3 -m venv $TOOLS && $TOOLS/bin/pip install --no-deps --require-hashes -r requirements-uv.lock
RUN python3 -m venv --without-pip $HOUSE \
 && $TOOLS/bin/uv pip sync --python $HOUSE/bin/python --require-hashes --compile-bytecode requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY config config
RUN $TOOLS/bin/uv build --wheel --no-build-isolation --python $TOOLS/bin/python --out-dir dist \
 && $TOOLS/bin/uv pip install --python $HOUSE/bin/python --no-deps --compile-bytecode dist/*.whl

FROM python:3.11-slim-bookworm
ARG HOUSE=/opt/passerelle
ARG DATA=/data
ARG OWNER=10001
COPY --from=build $HOUSE $HOUSE
RUN install -d -m 0700 -o $OWNER -g $OWNER $DATA
ENV PATH=$HOUSE/bin:$PATH HOME=$DATA PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1
USER $OWNER:$OWNER
# passerelle.toml, the database and the keys: everything that lasts.
WORKDIR $DATA
VOLUME $DATA
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python3", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["passerelle"]
CMD ["run"]
