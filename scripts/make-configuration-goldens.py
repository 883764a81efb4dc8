"""Makes Tests/Goldens/configuration-keys.json: the keys of transformers' and OpenCLIP's configuration classes.

Needs transformers 5.24 and open_clip 3.3: `python scripts/make-configuration-goldens.py`.
"""

import dataclasses
import json
import pathlib

import transformers
from open_clip.model import CLIPTextCfg, CLIPVisionCfg
from open_clip.transform import PreprocessCfg
from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig, GenerationConfig, OPTConfig, ViTConfig
from transformers.models.blip_2.configuration_blip_2 import Blip2Config, Blip2QFormerConfig, Blip2VisionConfig
from transformers.models.idefics2.configuration_idefics2 import (
    Idefics2Config, Idefics2PerceiverConfig, Idefics2VisionConfig)
from transformers.models.idefics2.image_processing_pil_idefics2 import Idefics2ImageProcessorKwargs
from transformers.processing_utils import ImagesKwargs

goldens = pathlib.Path(__file__).parent.parent / "Tests" / "Goldens"
keys = {}
for kind in (ViTConfig, CLIPConfig, CLIPTextConfig, CLIPVisionConfig, Blip2Config, Blip2VisionConfig,
             Blip2QFormerConfig, OPTConfig, Idefics2Config, Idefics2VisionConfig, Idefics2PerceiverConfig):
    keys[kind.__name__] = {field.name for field in dataclasses.fields(kind)} | set(kind().to_dict())
keys["ImagesKwargs"] = set(ImagesKwargs.__annotations__)
keys["Idefics2ImageProcessorKwargs"] = keys["ImagesKwargs"] | set(Idefics2ImageProcessorKwargs.__annotations__)
keys["GenerationConfig"] = {
    name for name in vars(GenerationConfig()) if name not in ("_from_model_config", "_commit_hash")}
for kind in (CLIPVisionCfg, CLIPTextCfg, PreprocessCfg):
    keys[kind.__name__] = {field.name for field in dataclasses.fields(kind)}
result = {"made_by": f"transformers {transformers.__version__}, open_clip 3.3.0",
          **{name: sorted(found) for name, found in keys.items()}}
(goldens / "configuration-keys.json").write_text(json.dumps(result, indent=0) + "\n", encoding="utf-8")
