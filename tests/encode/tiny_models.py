"""Tiny models of random weights, saved as directories with their tokenizer and picture settings, made on the spot."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from encode.encode_inputs import REPORT_TEXTS

SIDE = 32
PATCH = 8
WIDTH = 32
LAYERS = {"hidden_size": WIDTH, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
"""What the towers have in common."""


def seeded(kind: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """A model of random weights, the same ones every time."""
    import torch

    torch.set_num_threads(1)  # in models this small threads do nothing but wait for each other
    torch.manual_seed(7)
    return kind(*arguments, **options).eval()


def tokenizer(texts: Sequence[str] = REPORT_TEXTS, *, most: int = 64) -> Any:
    """A WordPiece tokenizer trained on some texts, as BERT has one."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=most, **names)


def save(folder: Path, *parts: Any) -> Path:
    for part in parts:
        part.save_pretrained(folder)
    return folder


def dinov2(folder: Path) -> Path:
    from transformers import BitImageProcessorPil, Dinov2Config, Dinov2Model

    layers = {name: value for name, value in LAYERS.items() if name != "intermediate_size"}
    config = Dinov2Config(image_size=SIDE, patch_size=PATCH, mlp_ratio=2, **layers)
    pictures = BitImageProcessorPil(
        size={"shortest_edge": SIDE + 8},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=[0.5] * 3,
        image_std=[0.3] * 3,
    )
    return save(folder, seeded(Dinov2Model, config), pictures)


def vit(folder: Path) -> Path:
    """Saved as a classifier, as most checkpoints are: its tower has no pooler."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    config = ViTConfig(image_size=SIDE, patch_size=PATCH, **LAYERS)
    pictures = ViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return save(folder, seeded(ViTForImageClassification, config), pictures)


def clip(folder: Path) -> Path:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    words = tokenizer(most=20)
    special = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
    config = CLIPConfig(
        text_config={**LAYERS, "vocab_size": len(words), "max_position_embeddings": 20, **special},
        vision_config={**LAYERS, "image_size": SIDE, "patch_size": PATCH},
        projection_dim=24,
    )
    pictures = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    return save(folder, seeded(CLIPModel, config), pictures, words)


def siglip(folder: Path) -> Path:
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    words = tokenizer(most=16)
    config = SiglipConfig(
        text_config={**LAYERS, "vocab_size": len(words), "max_position_embeddings": 16, "projection_size": WIDTH},
        vision_config={**LAYERS, "image_size": SIDE, "patch_size": PATCH},
    )
    pictures = SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return save(folder, seeded(SiglipModel, config), pictures, words)


def siglip2(folder: Path) -> Path:
    """Pictures keep their aspect: as many patches as fit, the rest masked."""
    from transformers import Siglip2Config, Siglip2ImageProcessorPil, Siglip2Model, Siglip2Tokenizer

    letters = sorted({*"".join(REPORT_TEXTS).lower().replace(" ", "\u2581"), "\u2581"})
    vocabulary = {token: n for n, token in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *letters])}
    words = Siglip2Tokenizer(vocab=vocabulary, merges=[], model_max_length=16)
    config = Siglip2Config(
        text_config={**LAYERS, "vocab_size": len(words), "max_position_embeddings": 16, "projection_size": WIDTH},
        vision_config={**LAYERS, "num_patches": 16, "patch_size": PATCH},
    )
    pictures = Siglip2ImageProcessorPil(patch_size=PATCH, max_num_patches=16)
    return save(folder, seeded(Siglip2Model, config), pictures, words)


def bert(folder: Path, *, most: int = 32) -> Path:
    """Saved as a masked language model, as most checkpoints are."""
    from transformers import BertConfig, BertForMaskedLM

    words = tokenizer(most=most)
    config = BertConfig(vocab_size=len(words), max_position_embeddings=most, **LAYERS)
    return save(folder, seeded(BertForMaskedLM, config), words)


MODELS: dict[str, Callable[[Path], Path]] = {
    "dinov2": dinov2,
    "vit": vit,
    "clip": clip,
    "siglip": siglip,
    "siglip2": siglip2,
    "bert": bert,
}


def sentence_transformer(folder: Path, *, activation: str = "torch.nn.modules.activation.Tanh") -> Path:
    """BERT, mean and largest of its tokens, a dense layer and unit length; windows of 12 tokens."""
    import torch
    from safetensors.torch import save_file

    bert(folder / "0_Transformer")
    (folder / "0_Transformer" / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 12}))
    for name in ("1_Pooling", "2_Dense", "3_Normalize"):
        (folder / name).mkdir()
    pooling = {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True, "pooling_mode_cls_token": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": WIDTH, **pooling}))
    dense = {"in_features": 2 * WIDTH, "out_features": 10, "bias": True, "activation_function": activation}
    (folder / "2_Dense" / "config.json").write_text(json.dumps(dense))
    layer = seeded(torch.nn.Linear, 2 * WIDTH, 10)
    save_file(
        {f"linear.{name}": value for name, value in layer.state_dict().items()},
        folder / "2_Dense" / "model.safetensors",
    )
    kinds = ("Transformer", "Pooling", "Dense", "Normalize")
    paths = ("0_Transformer", "1_Pooling", "2_Dense", "3_Normalize")
    modules = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def any_model(name: str, folder: Path) -> Path:
    """A tiny model of any family, by its `model_type`."""
    from transformers import AutoConfig, AutoModel, ViTImageProcessorPil

    if name in MODELS:
        return MODELS[name](folder)
    words = tokenizer(most=30)
    layers = {**LAYERS, "image_size": SIDE, "patch_size": PATCH, "num_patches": 16}
    if name in ("convnext", "convnextv2", "resnet"):
        layers = {
            "hidden_sizes": [8, 16],
            "depths": [1, 1],
            "num_stages": 2,
            "embedding_size": 8,
            "layer_type": "basic",
        }
    elif name.startswith("swin"):
        heads = {"embed_dim": 8, "num_heads": [2, 2], "depths": [1, 1], "window_size": 4}
        layers = {"image_size": SIDE, "patch_size": 4, **heads}
    else:
        special = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
        layers |= {"vocab_size": len(words), "max_position_embeddings": 32, "embedding_size": 16, **special}
        layers |= {"dim": WIDTH, "n_heads": 4, "n_layers": 2, "hidden_dim": 48, "global_attn_every_n_layers": 1}
    config = AutoConfig.for_model(name, **layers)
    pictures = ViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return save(folder, seeded(AutoModel.from_config, config), pictures, words)
