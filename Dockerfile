# The pages and the API in one process on the shipped checkpoints: offline at run time, in half a gigabyte of memory.
# `--build-arg REQUIREMENTS=requirements.txt` has torch and transformers too, for other checkpoints.
FROM python:3.11-slim
RUN useradd --create-home --uid 1000 app
WORKDIR /app
COPY requirements*.txt ./
ARG REQUIREMENTS=requirements-shipped.txt
RUN pip install --no-cache-dir -r $REQUIREMENTS
COPY . .
USER app
ENV HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/api/health', timeout=5)"]
CMD ["streamlit", "run", "server.py", "--server.port", "7860", "--server.address", "0.0.0.0"]
