# `hwr serve` with the shipped checkpoints: the pages and the API, offline, in half a gigabyte of memory.
#   docker build -t hwr .                                               a plain server
#   docker build -t hwr --build-arg TARGET=space .                      for a Hugging Face Space, which shows the pages in a frame
#   docker build -t hwr --build-arg REQUIREMENTS=requirements.txt .     with torch and transformers, for other checkpoints
ARG TARGET=server

FROM python:3.11-slim AS wheel
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel /source

FROM python:3.11-slim AS server
RUN useradd --create-home --uid 1000 app
COPY requirements*.txt /tmp/
ARG REQUIREMENTS=requirements-shipped.txt
RUN pip install --no-cache-dir -r /tmp/$REQUIREMENTS
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-cache-dir --no-deps /wheel/*.whl
USER app
WORKDIR /home/app
ENV HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/api/health', timeout=5)"]
CMD ["hwr", "serve", "--port", "7860", "--address", "0.0.0.0"]

# In a frame of another site, browsers withhold the cookie of Streamlit's XSRF check, and uploads fail with 403.
# A Space has no logins that the check would protect.
FROM server AS space
ENV STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false

FROM ${TARGET}
