"""Released weights become models: what is converted against both releases' own arithmetic, and what is refused."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch

from hybridcolor.bins import AB_BINS, ANNEALED_TEMPERATURE
from hybridcolor.errors import ModelError
from hybridcolor.predict import importing, load_predictor, read_registry, released
from hybridcolor.predict.importing import import_model
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.released import TO_AB, read_released, released_shapes
from hybridcolor.predict.weights import ENVIRONMENT, load_weights, models_folder
from tests.predict.releases import (
    CAFFE_NAMES,
    ReleasedNetwork,
    caffe_ab,
    caffemodel,
    hollow_state,
    random_caffe,
    random_release,
)

LUMINANCE = torch.rand(1, 1, 32, 40, generator=torch.Generator().manual_seed(3)) * 100
SHUFFLED = np.random.default_rng(8).permutation(313)


@pytest.fixture(scope="module")
def network():
    return random_release()


@pytest.fixture(scope="module")
def blobs():
    return random_caffe()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The person's own folder, where nothing was imported yet."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "hybridcolor" / "models"


@pytest.fixture
def written(tmp_path):
    """Puts bytes or a state dict into a file, which is gone after the test: some have 130 MB."""
    path = tmp_path / "released.file"

    def write(content, **options):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path, **options)
        return path

    yield write
    path.unlink(missing_ok=True)


def decoded(weights):
    """The ab that we make of imported weights: annealed mean of calibrated logits over our bins."""
    net = ReleasedNetwork()
    net.load_state_dict(weights.tensors)
    with torch.inference_mode():
        logits = net.eval().logits(LUMINANCE) / weights.temperature
    probability = (logits / ANNEALED_TEMPERATURE).softmax(1)
    return torch.einsum("bqhw,qc->bchw", probability, torch.from_numpy(AB_BINS.copy())).numpy()


def assert_same_colours(ours, theirs):
    assert theirs.std(axis=(2, 3)).min() > 3  # there is something to compare
    np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before PyTorch 1.6"])
def test_a_state_dict_is_taken_as_it_is(written, network, zipped):
    state = network.state_dict()
    weights = read_released(written(state, _use_new_zipfile_serialization=zipped))
    assert weights.source == "PyTorch state dict"
    assert weights.tensors.keys() == state.keys()
    for key, value in state.items():
        torch.testing.assert_close(weights.tensors[key], value, rtol=0, atol=0)
    with torch.inference_mode():
        assert_same_colours(decoded(weights), network(LUMINANCE).numpy())


def test_bins_in_another_order_are_sorted_with_their_logits(written):
    shuffled = random_release(order=SHUFFLED)
    weights = read_released(written(shuffled.state_dict()))
    with torch.inference_mode():
        assert_same_colours(decoded(weights), shuffled(LUMINANCE).numpy())


@pytest.mark.parametrize("early", [False, True], ids=["layer", "layers"])
def test_a_caffe_model_gives_caffes_colours(written, blobs, early):
    weights = read_released(written(caffemodel(blobs, v1_layers=early, legacy_shape=early)))
    assert weights.source == "Caffe model"
    assert {key: tuple(value.shape) for key, value in weights.tensors.items()} == released_shapes()
    assert_same_colours(decoded(weights), caffe_ab(blobs, LUMINANCE).numpy())


def test_a_caffe_model_in_doubles_with_the_demos_layers_and_those_of_training(written, blobs):
    extra = {
        "conv8_313_rh": [np.full(313, 2.606, np.float32)],
        "class8_ab": [AB_BINS[SHUFFLED].T[..., None, None], np.zeros(2, np.float32)],
        "data_l_meansub": [np.ones(1, np.float32), np.full(1, -50, np.float32)],
        "data_ab_ss": [np.ones((2, 1, 1, 1), np.float32), np.zeros(2, np.float32)],
    }
    doubles = {name: [each.astype(np.float64) for each in layer] for name, layer in blobs.items()}
    weights = read_released(written(caffemodel(doubles | extra)))
    assert_same_colours(decoded(weights), caffe_ab(blobs, LUMINANCE, AB_BINS[SHUFFLED]).numpy())


def test_the_decoding_layer_may_be_unfilled_as_it_is_in_the_released_file(written, blobs):
    extra = {"class8_ab": [np.zeros((2, 313, 1, 1), np.float32), np.zeros(2, np.float32)]}
    weights = read_released(written(caffemodel(blobs | extra)))
    assert_same_colours(decoded(weights), caffe_ab(blobs, LUMINANCE).numpy())


def test_the_table_has_the_published_sizes(network):
    """32,222,016 weights in convolutions and 32,230,393 with biases; torch's batch norms add 4,992."""
    shapes = released_shapes()
    sizes = {key: int(np.prod(shape)) for key, shape in shapes.items() if key != "model_out.weight"}
    norms = {key.rpartition(".")[0] for key in shapes if key.endswith("running_mean")}
    of_norms = sum(
        n for key, n in sizes.items() if key.rpartition(".")[0] in norms and key.endswith(("weight", "bias"))
    )
    learned = sum(n for key, n in sizes.items() if key.endswith(("weight", "bias")))
    assert (learned - of_norms, of_norms) == (32_230_393, 4_992)
    assert sum(n for key, n in sizes.items() if len(shapes[key]) == 4) == 32_222_016


def test_half_precision_and_no_counters_are_fine(written, network):
    state = {key: value.half() for key, value in network.state_dict().items() if not key.endswith("tracked")}
    weights = read_released(written(state))
    assert {value.dtype for key, value in weights.tensors.items() if not key.endswith("tracked")} == {torch.float32}
    torch.testing.assert_close(weights.tensors["model5.0.weight"], state["model5.0.weight"].float())


# Refusals, by the function and by the command.


@pytest.fixture
def refused(folder, run):
    """Import a file that must be refused in one line, leaving nothing behind."""

    def check(path, *messages, name="mine"):
        code, _, told = run("models", "import", path, "--name", name)
        assert code == 2
        assert told.count("\n") == 1, told
        for message in messages:
            assert message in told
        assert not folder.exists() or not list(folder.iterdir())

    return check


@pytest.fixture(scope="module")
def hollow(network):
    return hollow_state(network.state_dict())


def without(state, key):
    return {name: value for name, value in state.items() if name != key}


def test_a_hollow_state_dict_would_be_taken(written, hollow):
    """The refusals below start from this one, and from nothing else that is wrong."""
    path = written(hollow)
    assert path.stat().st_size < 100_000
    assert float(read_released(path).tensors["model4.2.bias"][0]) == 0.5


def test_missing_and_extra_tensors_are_refused(written, hollow, refused):
    refused(written(without(hollow, "model3.0.weight")), "lacks 'model3.0.weight';")
    refused(written(without(without(hollow, "model_out.weight"), "model8.6.bias")), "lacks 'model8.6.bias' and 1 more")
    refused(written(hollow | {"model9.0.weight": torch.zeros(1)}), "unknown 'model9.0.weight';")
    refused(written({}), "lacks 'model1.0.bias' and")
    refused(written(hollow | {"line\nbreak" * 50: torch.zeros(1)}), "unknown 'line")


def test_misfits_are_refused(written, hollow, refused):
    refused(
        written(hollow | {"model1.0.weight": torch.zeros(64, 4, 3, 3)}),
        *("model1.0.weight has shape (64, 4, 3, 3)", "expected (64, 1, 3, 3)"),
    )
    refused(written(hollow | {"model2.2.bias": torch.zeros(128, 1)}), "model2.2.bias has shape (128, 1)")
    refused(written(hollow | {"model2.2.bias": "text"}), "model2.2.bias is not a plain tensor")
    refused(written(hollow | {"model2.2.bias": torch.zeros(128).to_sparse()}), "not a plain tensor")
    refused(written(hollow | {"model2.2.bias": torch.zeros(128, dtype=torch.complex64)}), "not a plain tensor")
    for number in (float("nan"), float("inf")):
        refused(written(hollow | {"model2.2.bias": torch.full((128,), number)}), "model2.2.bias", "not finite")
    refused(written(hollow | {"model2.4.running_var": torch.full((128,), -1.0)}), "negative variances")


def test_other_bins_are_refused(written, hollow, refused):
    refused(written(hollow | {"model_out.weight": hollow["model_out.weight"] * 110}), "313 bins")
    other = hollow["model_out.weight"].clone()
    other[0, 7] += 10 / 110
    refused(written(hollow | {"model_out.weight": other}), "313 bins")
    huge = torch.full_like(other, 3e38)
    refused(written(hollow | {"model_out.weight": huge}), "313 bins")


def test_the_network_of_2017_is_named(written, hollow, refused):
    siggraph = without(hollow, "model_out.weight") | {"model_out.0.weight": torch.zeros(2, 128, 1, 1)}
    refused(written(siggraph), "siggraph17", "eccv16")


class Malicious:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_code_in_a_pickle_is_not_run(written, hollow, refused, tmp_path):
    mark = tmp_path / "it ran"
    for zipped in (True, False):
        path = written(hollow | {"model1.0.bias": Malicious(mark)}, _use_new_zipfile_serialization=zipped)
        refused(path, "not a whole PyTorch state dict of plain tensors")
    refused(written(pickle.dumps(Malicious(mark))), "not a whole PyTorch state dict")
    assert not mark.exists()


def test_other_objects_and_files_are_refused(written, network, refused, tmp_path):
    refused(written([1, 2]), "holds no state dict")
    refused(written({1: torch.zeros(1)}), "holds no state dict")
    refused(written(b""), "lacks")
    refused(written(b"PK\x03\x04 and so on"), "damaged archive")
    refused(written(b"\x80\x02 and so on"), "not a whole PyTorch")
    refused(written(b"\x89HDF\r\n\x1a\n"), "HDF5")
    refused(written(b"name: 'LtoAB' layer { }"), "not a whole .caffemodel")
    refused(tmp_path / "gone.pth", "no such file")
    refused(tmp_path, "no such file")


def test_a_state_dict_cut_short_is_refused(written, hollow, refused):
    content = written(hollow).read_bytes()
    for share in (0.1, 0.5, 0.99):
        refused(written(content[: int(len(content) * share)]), "released.file")


def test_flipped_bits_are_weights_or_a_model_error(written, hollow):
    """Of the archive and of the older pickle; what they decode to is bounded by the shapes that are expected."""
    rng, refusals = np.random.default_rng(9), 0
    for zipped in (True, False):
        content = written(hollow, _use_new_zipfile_serialization=zipped).read_bytes()
        for _ in range(30):
            damaged = bytearray(content)
            damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
            try:
                read_released(written(bytes(damaged)))
            except ModelError as error:
                refusals += "\n" not in str(error)
    assert refusals > 10


def test_files_too_large_are_refused_unread(written, hollow, refused, monkeypatch):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(5_000_000))
    monkeypatch.setattr(released, "MAX_BYTES", 2**20)
    assert len(content.getvalue()) < 2**20
    refused(written(content.getvalue()), "unpacks to more than 1 MiB")
    refused(written(bytes(2**20 + 1)), "larger than 1 MiB")


def tiny_caffe(**changes):
    """All of Caffe's layers with blobs of one number, which is wrong, unless ``changes`` says otherwise."""
    layers = {name: [np.float32([0])] * (3 if name.endswith("norm") else 2) for name in CAFFE_NAMES.values()}
    return caffemodel({name: blobs for name, blobs in (layers | changes).items() if blobs})


def test_caffe_models_that_do_not_fit_are_refused(written, refused):
    refused(written(tiny_caffe(conv5_2=[])), "lacks 'conv5_2';")
    refused(written(tiny_caffe(conv9_1=[np.float32([1])])), "unknown 'conv9_1';")
    refused(written(tiny_caffe(bw_conv1_1=[np.float32([1])])), "conv1_1 has 1 blobs, expected 2")
    refused(written(tiny_caffe()), "blob 0 of conv1_1 has shape (1,), expected (64, 1, 3, 3)")
    weight, bias = np.zeros((64, 1, 3, 3), np.float32), np.zeros(65, np.float32)
    refused(written(tiny_caffe(bw_conv1_1=[weight, bias])), "blob 1 of conv1_1 has shape (65,), expected (64,)")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "conv4_2",
            lambda b: [b[0], np.full(512, np.nan, np.float32)],
            "model4.2.bias holds numbers that are not finite",
        ),
        ("conv4_2", lambda b: [b[0], np.full(512, 1e300)], "model4.2.bias holds numbers that are not finite"),
        ("conv2_2norm", lambda b: [b[0], -b[1], b[2]], "negative variances"),
        ("conv2_2norm", lambda b: [b[0], b[1], np.float32([1, 1])], "blob 2 of conv2_2norm has shape (2,)"),
        ("conv8_313_rh", lambda _: [np.full(313, 1, np.float32)], "conv8_313_rh is not 2.606"),
        ("class8_ab", lambda _: [np.ones((2, 313, 1, 1), np.float32)], "313 bins"),
        ("class8_ab", lambda _: [np.ones((313, 2, 1, 1), np.float32)], "blob 0 of class8_ab has shape"),
    ],
)
def test_caffe_models_with_wrong_numbers_are_refused(written, blobs, refused, name, change, message):
    refused(written(caffemodel(blobs | {name: change(blobs.get(name))})), message)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", ".x", "-x", "default", "none", "x" * 200, "naïve"])
def test_names_that_cannot_be_files_are_refused(written, hollow, folder, name):
    with pytest.raises(ModelError, match="cannot be a model's name"):
        import_model(written(hollow), name=name)
    assert not folder.exists()


# What an import leaves behind.


def test_an_import_is_listed_beside_the_shipped_models(run, written, hollow, folder):
    entry = import_model(written(hollow))
    assert entry.name == "released"
    default, entries = read_registry()
    assert default != "released"
    assert entries["released"] == entry
    assert entries[default].folder == models_folder()
    assert {path.name for path in folder.iterdir()} == {"registry.json", "released.md", "released.safetensors"}
    weights = load_weights(entry)
    assert weights.keys() == (released_shapes().keys() - {TO_AB}) | {"class_prior"}
    card = (folder / "released.md").read_text()
    assert "`released.file`, a PyTorch state dict with sha256 `" in card
    assert "{" not in card
    for arguments in (["models"], ["models", "list"]):
        code, shown, _ = run(*arguments)
        assert code == 0
        assert "released" in shown
        assert f"{default} (default)" in shown


def test_a_taken_name_is_kept_unless_asked(written, hollow, folder):
    import_model(written(hollow), name="mine")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    other = hollow | {"model4.2.bias": torch.full((512,), 0.25)}
    with pytest.raises(ModelError, match="exists already"):
        import_model(written(other), name="mine")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert float(load_weights(import_model(written(other), name="mine", overwrite=True))["model4.2.bias"][3]) == 0.25
    with pytest.raises(ModelError, match="name of a shipped model"):
        import_model(written(hollow), name=read_registry()[0], overwrite=True)


def test_a_named_folder_is_made_and_found_by_the_environment(written, hollow, tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "models"))
    entry = import_model(written(hollow), name="mine")
    assert entry.folder == tmp_path / "models"
    assert read_registry() == ("mine", {"mine": entry})
    assert import_model(written(hollow), name="mine", folder=tmp_path / "other").folder == tmp_path / "other"


def test_a_folder_that_cannot_be_written_is_one_line_and_nothing_is_left(written, hollow, tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "models"))
    (tmp_path / "a file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        import_model(written(hollow), name="mine", folder=tmp_path / "a file")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing, "register", full)
    with pytest.raises(ModelError, match="No space left"):
        import_model(written(hollow), name="mine")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_damaged_registry_stops_an_import(written, hollow, folder):
    folder.mkdir(parents=True)
    (folder / "registry.json").write_text("junk")
    with pytest.raises(ModelError, match="not a model registry"):
        import_model(written(hollow), name="mine")
    assert [path.name for path in folder.iterdir()] == ["registry.json"]


def test_the_imported_model_predicts_with_the_releases_logits(written, network, folder):
    import_model(written(network.state_dict()), name="mine")
    predictor = load_predictor("mine")
    plain = build_network("plain").eval()
    tensors = load_weights(read_registry()[1]["mine"])
    assert not torch.isnan(tensors.pop("class_prior")).any()
    plain.load_state_dict(tensors)
    with torch.inference_mode():
        theirs = network.logits(LUMINANCE)
        torch.testing.assert_close(plain(LUMINANCE / 100), theirs, rtol=1e-3, atol=1e-3 * float(theirs.std()))
    belief = predictor.predict(LUMINANCE[0, 0].numpy())
    assert belief.shape == (32, 40)
    np.testing.assert_allclose(belief.rebalanced(0.5).mean(), belief.mean(), atol=1e-3)  # the prior is uniform
