# docker build -t consult .        (compose.yaml does it)
# Three stages: the files that pages ask for, the Python packages, and what runs.

FROM node:22-bookworm-slim AS assets
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev
COPY assets assets
COPY templates templates
COPY consult_app consult_app
RUN node assets/build.mjs

FROM python:3.11-slim-bookworm AS packages
WORKDIR /app
RUN python -m venv /opt/venv
COPY requirements.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml config.py wsgi.py ./
COPY consult_app consult_app
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && /opt/venv/bin/pybabel --quiet compile -d consult_app/translations \
    && /opt/venv/bin/python -m compileall -q consult_app config.py wsgi.py

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin consult
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /app /app
COPY --from=assets /app/static/dist static/dist
COPY templates templates
COPY migrations migrations
COPY gunicorn.conf.py ./
COPY deploy/healthy.py deploy/healthy.py
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CONSULT_VAR=/data CONSULT_LOG=json
USER consult
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "deploy/healthy.py"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "wsgi:app"]
