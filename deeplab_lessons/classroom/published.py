"""The rows of the papers' tables, as `experiments` reads them."""

from functools import partial

# Where a paper leaves a number open, the released code gives it: the learning rate of 0.001 for VGG16 and 0.00025 for
# ResNet-101 under "poly", the crop of 321 pixels, how biases and batch norm learn, the weight decay of v3 and v3+, and
# v3+'s `released`. v2's table 2 trains the step policy with batches of 30, its section 4.1.1 with 20 as v1 does; both
# report 62.25.
_RELEASED = {"released_groups": True}
_V1 = {**_RELEASED, "iterations": 6000, "batch_size": 20, "lr": 0.001, "schedule": "step", "crf": "v1_caffe"}
_V1_LARGE = {**_V1, "crf": "v1_largefov"}
_POLY = {**_RELEASED, "iterations": 20000, "batch_size": 10, "schedule": "poly", "crf": "v2_vgg"}
_VGG = {**_POLY, "lr": 0.001}
_RESNET = {**_POLY, "lr": 0.00025, "crf": "v2_resnet101"}
_COCO = {**_RESNET, "starts_from": "MS-COCO"}
_SCALED = {"scale": (0.5, 1.5)}
_AUG = {**_COCO, **_SCALED}
# v3 prints its recipe in section 4.1, and v3+ takes it over; what is measured on val was trained in the first stage
# only, at output stride 16, and the second stage is for the test set.
_V3 = {
    **_RELEASED, "iterations": 30000, "batch_size": 16, "lr": 0.007, "schedule": "poly", "loss": "upsampled",
    "crop": 513, "scale": (0.5, 2.0), "batch_norm_decay": 0.9997, "weight_decay": 1e-4,
}  # fmt: skip
_SECOND = {**_V3, "lr": 0.001, "data": "voc", "split": "trainval", "freeze_batch_norm": True}

_v1: partial[dict] = partial(dict, version="v1", channels=4096)
_vgg: partial[dict] = partial(dict, version="v2", backbone="vgg16")
_resnet: partial[dict] = partial(dict, version="v2", backbone="resnet101", rates=None, multi_scale=True)
_v3: partial[dict] = partial(dict, version="v3", backbone="resnet101", output_stride=16, multi_grid=(1, 2, 4))
_LARGE_FOV = {"kernel_size": 3, "rate": 12, "channels": 1024}
_XCEPTION = {"version": "v3plus", "backbone": "xception", "output_stride": 16, "released": True}
_S, _L, _PYRAMID = (2, 4, 8, 12), (6, 12, 18, 24), (6, 12, 18)
_CONTEXT = {"data": "context", "num_classes": 60}
_PARTS = {"data": "person-part", "num_classes": 7}
_STREETS = {"data": "cityscapes", "num_classes": 19}


def _row(name: str, row: str, network: dict, training: dict, mean_iou=None, with_crf=None, **more) -> dict:
    printed = {"mean_iou": mean_iou, "with_crf": with_crf}
    return {"name": name, "row": row, "network": network, **training, **printed, **more}


ROWS = [
    _row("v1_7x7", "v1, table 1: 7x7", _v1(kernel_size=7, rate=4), _V1, 64.38, 67.64),
    _row("v1_4x4", "v1, table 1: DeepLab", _v1(kernel_size=4, rate=4), _V1, 59.80, 63.74),
    _row("v1_msc", "v1, table 1: MSc", _v1(kernel_size=4, rate=4, multi_scale=True), _V1, 61.30, 65.21),
    _row("v1_4x4_large", "v2, table 1: 4x4, rate 8", _v1(kernel_size=4, rate=8), _V1, 63.41, 67.14),
    _row("v1_largefov", "v1, table 1: LargeFOV", _v1(**_LARGE_FOV), _V1_LARGE, 62.25, 67.64),
    _row("v1_msc_largefov", "v1, table 1: MSc-LargeFOV", _v1(**_LARGE_FOV, multi_scale=True), _V1, 64.21, 68.70),
    _row("v2_vgg_poly_6k", "v2, table 2", _vgg(rates=(12,)), {**_VGG, "iterations": 6000, "batch_size": 30}, 63.42),
    _row("v2_vgg_poly_10k", "v2, table 2", _vgg(rates=(12,)), {**_VGG, "iterations": 10000, "batch_size": 30}, 64.90),
    _row("v2_vgg_poly_10k_batch10", "v2, table 2", _vgg(rates=(12,)), {**_VGG, "iterations": 10000}, 64.71),
    _row("v2_vgg_largefov", "v2, table 3: LargeFOV", _vgg(rates=(12,)), _VGG, 65.76, 69.84),
    _row("v2_vgg_aspp_s", "v2, table 3: ASPP-S", _vgg(rates=_S), _VGG, 66.98, 69.73),
    _row("v2_vgg_aspp_l", "v2, table 3: ASPP-L", _vgg(rates=_L), _VGG, 68.96, 71.57),
    _row("v2_resnet101", "v2, table 4, row 1", _resnet(multi_scale=False), _RESNET, 68.72),
    _row("v2_resnet101_msc", "v2, table 4, row 2: MSC", _resnet(), _RESNET, 71.27),
    _row("v2_resnet101_msc_coco", "v2, table 4, row 3: + COCO", _resnet(), _COCO, 73.28),
    _row("v2_resnet101_msc_aug", "v2, table 4, row 4: + Aug", _resnet(), _AUG, 74.87),
    _row("v2_resnet101_msc_largefov", "v2, table 4, row 5: + LargeFOV", _resnet(rates=(12,)), _AUG, 75.54),
    _row("v2_resnet101_msc_aspp", "v2, table 4, rows 6 and 7: + ASPP", _resnet(rates=_L), _AUG, 76.35, 77.69),
    _row("v2_context_vgg", "v2, table 6: VGG-16", _vgg(rates=(12,)), _VGG, 37.6, 39.6, **_CONTEXT),
    _row("v2_context", "v2, table 6: best", _resnet(rates=_L), _AUG, 44.7, 45.7, **_CONTEXT),
    _row("v2_person_part", "v2, table 7: best", _resnet(), _AUG, 64.40, 64.94, **_PARTS),
    _row(
        "v2_cityscapes", "v2, table 9: best", _resnet(rates=_L, multi_scale=False), {**_RESNET, **_SCALED}, 71.0, 71.4,
        **_STREETS,
    ),
    _row("v3_cascade", "v3, table 3: block7, (1, 2, 1)", _v3(multi_grid=(1, 2, 1), cascade=7), _V3, 76.66),
    _row("v3_mg111", "v3, table 5: (1, 1, 1)", _v3(multi_grid=(1, 1, 1), image_pooling=False), _V3, 75.36),
    _row("v3_mg121", "v3, table 5: (1, 2, 1)", _v3(multi_grid=(1, 2, 1), image_pooling=False), _V3, 75.93),
    _row("v3_mg124", "v3, table 5: (1, 2, 4)", _v3(image_pooling=False), _V3, 76.58),
    _row("v3_rate24", "v3, table 5: + 24", _v3(image_pooling=False, rates=(*_PYRAMID, 24)), _V3, 76.46),
    _row("v3_resnet101", "v3, table 5: + image pooling", _v3(), _V3, 77.21),
    _row("v3_subsampled", "v3, table 8: no upsampled logits", _v3(), {**_V3, "loss": "subsample"}, 76.01),
    _row("v3_stage2", "v3, section 4.1: second stage", _v3(output_stride=8), _SECOND, starts_from="v3_resnet101"),
    _row("v3plus_resnet101", "v3+, table 3: decoder", _v3(version="v3plus", released=True), _V3, 78.85),
    _row("v3plus_xception", "v3+, table 5: decoder, separable", _XCEPTION, {**_V3, "weight_decay": 4e-5}, 79.79),
]  # fmt: skip
