"""Vega, Vega-Lite and vega-embed, which draw the charts of the page: one script that is kept here.

It is what vl-convert-python bundles. `python -m dnnbench.report.page.vega > scripts/vega.js` makes
it anew; `vega.licences.txt` beside it has the licences of all parts.
"""

from functools import cache

from .scripts import Script, text_of

MADE_BY = "1.9.0.post1"
"""The version of vl-convert-python."""
SHA256 = "373b1f84072b31010f15ceb787be6b415c53936411aae267c8c2b2b6ccde46e7"
"""Of `vega.js` as it was made."""
EMBED_ALONE = "window.vegaEmbed = vegaEmbed;"


def bundle() -> str:
    """Made by vl-convert."""
    import vl_convert

    text: str = vl_convert.javascript_bundle(EMBED_ALONE)
    return text


@cache
def vega_script() -> Script:
    """The script, in a scope of its own but for `vegaEmbed`."""
    return Script(f"(() => {{\n{text_of('vega.js')}\n}})();\n")


def licences() -> str:
    """Of all that the script holds."""
    return text_of("vega.licences.txt")


if __name__ == "__main__":
    print(bundle(), end="")
