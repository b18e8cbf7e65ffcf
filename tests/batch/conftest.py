"""Pictures, and what one process makes of them without any trouble."""

from __future__ import annotations

import uuid

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from hybridcolor.batch import plan_tasks, run_batch
from tests.batch.common import COUNT, RECIPE, contents, make


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    return make(tmp_path_factory.mktemp("pictures"), COUNT)


@pytest.fixture(scope="session")
def expected(pictures, tmp_path_factory):
    """What one process makes of them without any trouble."""
    folder = tmp_path_factory.mktemp("expected")
    outcome = run_batch(plan_tasks([pictures], RECIPE, folder), folder, RECIPE)
    assert (outcome.done, outcome.failures) == (COUNT, [])
    return contents(folder)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('model = "none"\nmethod = "chrominance"\n')
    return path


@pytest.fixture(scope="session")
def s3():
    """The address of an S3 server in this process, which asks no credentials until told to; others inherit it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "nobody")
        yield address
    server.stop()


@pytest.fixture
def bucket(s3):
    """A new bucket."""
    name = f"bucket-{uuid.uuid4().hex[:8]}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"
