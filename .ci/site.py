"""Hooks of mkdocs: files of the repository that pages link to become pages of the site.

The documents are written for GitHub, where a link leads to any file of the repository. On the site
such a file is a page below `repository/`: a document as it is, code as a listing, a notebook cell
by cell, a folder as a list of its files. So the site leads nowhere else and needs no network.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
DOCS = PurePosixPath("docs")
REPOSITORY = "repository"
ALWAYS = ("CONTRIBUTING.md", "CHANGELOG.md", "README.md", "results/README.md")
"""Documents outside docs/ that the navigation names."""
LINK = re.compile(r"(?P<open>\]\()(?P<path>[^()\s#:]+)(?P<anchor>#[^()\s]*)?(?P<close>\))")
CODE = re.compile(r"(?ms)^(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)$")
CODE_OR_LINK = re.compile(f"{CODE.pattern}|{LINK.pattern}")
LANGUAGES = {".py": "python", ".toml": "toml", ".yml": "yaml", ".json": "json", ".sh": "bash"}
FENCE = "`````"
NOT_SEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"


def on_files(files, config):
    """Add a page for every file outside docs/ that a page, or such a file, links to."""
    from mkdocs.structure.files import File

    for path in linked_from_docs():
        text = text_of(path)
        searched = "" if path.suffix == ".md" else NOT_SEARCHED
        files.append(File.generated(config, uri_of(path), content=searched + text))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links as the site has them."""
    return relinked(markdown, source_of(page.file.src_uri))


def linked_from_docs() -> list[PurePosixPath]:
    """Files and folders of the repository outside docs/ that the site shows, each once."""
    open_paths = [DOCS / page.name for page in sorted((ROOT / DOCS).glob("*.md"))]
    open_paths += map(PurePosixPath, ALWAYS)
    shown: dict[PurePosixPath, None] = {}
    while open_paths:
        path = open_paths.pop()
        if path in shown:
            continue
        if not path.is_relative_to(DOCS):
            shown[path] = None
        open_paths += links_of(path)
    return sorted(shown)


def links_of(path: PurePosixPath) -> Iterator[PurePosixPath]:
    """What a document links to that is a file of the repository and no page of docs/."""
    if (ROOT / path).is_dir():
        yield from listed(path)
    if path.suffix != ".md":
        return
    for match in LINK.finditer(outside_code((ROOT / path).read_text())):
        target = joined(path.parent, match["path"])
        if (ROOT / target).exists() and not target.is_relative_to(DOCS):
            yield target


def outside_code(markdown: str) -> str:
    """The text without blocks of code, whose brackets are no links."""
    return CODE.sub("", markdown)


def relinked(markdown: str, source: PurePosixPath) -> str:
    """The text of a document at `source`, its links rewritten for the page that it becomes."""
    here = PurePosixPath(uri_of(source)).parent
    folder = source if (ROOT / source).is_dir() else source.parent

    def rewritten(match):
        if match["fence"]:
            return match[0]
        target = joined(folder, match["path"])
        if not (ROOT / target).exists():
            return match[0]
        to = os.path.relpath(uri_of(target), here)
        return f"{match['open']}{to}{match['anchor'] or ''}{match['close']}"

    return CODE_OR_LINK.sub(rewritten, markdown)


def joined(folder: PurePosixPath, link: str) -> PurePosixPath:
    """A link of a document in that folder, from the root of the repository."""
    return PurePosixPath(os.path.normpath(folder / link))


def uri_of(path: PurePosixPath) -> str:
    """Where the site keeps a file of the repository, before it is rendered."""
    if path.is_relative_to(DOCS):
        return str(path.relative_to(DOCS))
    inside = PurePosixPath(REPOSITORY) / path
    if (ROOT / path).is_dir():
        return str(inside / "index.md")
    if path.name == "README.md" and path.parent == PurePosixPath("."):
        return f"{REPOSITORY}/readme.md"  # README.md would be rendered as the folder's index
    if path.name == "README.md":
        return str(inside.with_name("readme.md"))
    return str(inside) if path.suffix == ".md" else f"{inside}.md"


def source_of(uri: str) -> PurePosixPath:
    """The file of the repository that a page was made from."""
    path = PurePosixPath(uri)
    if not path.is_relative_to(REPOSITORY):
        return DOCS / path
    inside = path.relative_to(REPOSITORY)
    if inside.name == "readme.md":
        return inside.with_name("README.md")
    if inside.name == "index.md":
        return inside.parent
    return inside if (ROOT / inside).is_file() else inside.with_suffix("")


def text_of(path: PurePosixPath) -> str:
    """The Markdown of a page that shows a file or a folder of the repository."""
    file = ROOT / path
    if file.is_dir():
        return "\n".join([f"# `{path}/`", "", *(f"- {link_to(each)}" for each in listed(path)), ""])
    text = file.read_text()
    if path.suffix == ".md":
        return text
    if path.suffix == ".ipynb":
        return notebook(path, json.loads(text))
    return f"# `{path}`\n\n{listing(text, LANGUAGES.get(path.suffix, 'text'))}\n"


def listed(folder: PurePosixPath) -> list[PurePosixPath]:
    """The files that lie in a folder, without caches and what is hidden."""
    files = (ROOT / folder).iterdir()
    return sorted(folder / each.name for each in files if each.is_file() and each.name[0] != ".")


def link_to(path: PurePosixPath) -> str:
    return f"[`{path.name}`]({path.name})" if path.suffix else f"`{path.name}`"


def listing(text: str, language: str) -> str:
    return f"{FENCE}{language}\n{text.rstrip()}\n{FENCE}"


def notebook(path: PurePosixPath, cells: dict) -> str:
    """Its texts and its code, one below the other."""
    parts = [f"# `{path}`"]
    for cell in cells["cells"]:
        text = "".join(cell["source"])
        # A title of the notebook stands below the page's own.
        is_code = cell["cell_type"] == "code"
        parts.append(listing(text, "python") if is_code else re.sub(r"(?m)^#", "##", text))
    return "\n\n".join(parts) + "\n"
