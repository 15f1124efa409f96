"""A copy of a file of evidence without what it tells of its sender: place, camera, author, history, others' remarks.

Run as a script: the kind of the file is the argument, the file comes on standard input, the copy leaves on standard
output. Exit code 3: the file cannot be read; 4: other files lie inside. Libraries that parse strangers' files run in
this process alone, with little memory and little time.

What goes, by kind:
- pictures: everything but the pixels (EXIF, XMP, IPTC, comments, thumbnails); they are turned upright, in sRGB
- PDF: document information, XMP, private data of programs, earlier revisions, remarks, authors and times of drawings
- office files: properties, remarks, tracked changes (as if accepted), revision ids, people, paths, printers, thumbnails
"""

import io
import posixpath
import re
import resource
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
from lxml import etree
from PIL import Image, ImageCms, ImageOps, ImageSequence

MEMORY, SECONDS = 1200 * 1024 * 1024, 20
PICTURES = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
MOST_PIXELS = 80_000_000
UNREADABLE, HOLDS_OTHERS = 3, 4  # exit codes


class Unreadable(Exception):
    """The file cannot be read as what it seems to be."""


class HoldsOthers(Exception):
    """Files of other programs lie inside, of which nobody knows what they tell."""


# Pictures


def picture(data: bytes, form: str) -> bytes:
    """The pixels of a picture, upright, with all frames of a moving one."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(io.BytesIO(data), formats=[form]) as given:
        is_moving = getattr(given, "n_frames", 1) > 1
        frames = [_plain(frame) for frame in ImageSequence.Iterator(given)] if is_moving else [_plain(given)]
        durations = [given.info.get("duration", 100)] * len(frames)
    if form == "JPEG":
        frames = [frame if frame.mode in ("L", "RGB") else frame.convert("RGB") for frame in frames]
    more: dict[str, Any] = {"quality": 92} if form != "PNG" else {}
    if len(frames) > 1:
        more |= {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    made = io.BytesIO()
    frames[0].save(made, form, **more)
    return made.getvalue()


def _plain(frame: Image.Image) -> Image.Image:
    """A frame with nothing but its pixels."""
    upright = ImageOps.exif_transpose(frame) or frame
    if profile := frame.info.get("icc_profile"):
        try:
            to = "RGBA" if upright.mode in ("RGBA", "LA", "PA") else "RGB"
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            upright = ImageCms.profileToProfile(upright, source, ImageCms.createProfile("sRGB"), outputMode=to) or upright
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that cannot be read changes no colour
    if upright.mode == "P" and "transparency" in frame.info:
        upright = upright.convert("RGBA")
    bare = Image.new(upright.mode, upright.size)
    if upright.mode == "P":
        bare.putpalette(upright.getpalette() or [])
    bare.paste(upright)
    return bare


def jpeg_without_segments(data: bytes) -> bytes:
    """A JPEG without its application segments and comments, to the pixel the same: for pictures inside other files."""
    if not data.startswith(b"\xff\xd8"):
        return data
    kept, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        mark, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if mark == 0xDA:  # the pixels begin
            break
        is_told = 0xE1 <= mark <= 0xED or mark in (0xEF, 0xFE)  # all but JFIF and Adobe, which say how colours are kept
        if not is_told:
            kept.append(data[at : at + 2 + size])
        at += 2 + size
    return b"".join([*kept, data[at:]])


# PDF

REMARKS = {"/Text", "/Popup"}
TELLING = ("/T", "/M", "/CreationDate", "/NM", "/RC", "/IRT", "/Subj")  # of what is drawn on a page: who, when
PRIVATE = ("/Metadata", "/PieceInfo", "/LastModified", "/OPI", "/Lang_Author")


def pdf(data: bytes) -> bytes:
    """The pages of a PDF, written anew, so that no earlier revision stays in it."""
    try:
        given = pikepdf.open(io.BytesIO(data))
    except (pikepdf.PasswordError, pikepdf.PdfError) as problem:
        raise Unreadable from problem
    with given:
        for one in given.objects:
            if isinstance(one, pikepdf.Stream | pikepdf.Dictionary):
                _bare_object(one)
        for page in given.pages:
            _bare_annotations(page.obj)
        root = given.Root
        if "/EmbeddedFiles" in root.get("/Names", {}):
            raise HoldsOthers
        for key in ("/Metadata", "/PieceInfo", "/Collection", "/AF"):
            if key in root:
                del root[key]
        if "/Info" in given.trailer:
            del given.trailer["/Info"]
        made = io.BytesIO()
        given.remove_unreferenced_resources()
        given.save(made, linearize=False, deterministic_id=True, fix_metadata_version=False)
    return made.getvalue()


def _bare_object(one: Any) -> None:
    for key in PRIVATE:
        if key in one:
            del one[key]
    if isinstance(one, pikepdf.Stream) and one.get("/Filter") == pikepdf.Name.DCTDecode:
        one.write(jpeg_without_segments(one.read_raw_bytes()), filter=pikepdf.Name.DCTDecode)


def _bare_annotations(page: Any) -> None:
    annotations = page.get("/Annots")
    if annotations is None:
        return
    kept = pikepdf.Array()
    for one in annotations:
        if str(one.get("/Subtype", "")) in REMARKS:
            continue
        is_field = str(one.get("/Subtype", "")) == "/Widget"  # the name of a field in a form is no author
        for key in TELLING:
            if key in one and not (is_field and key == "/T"):
                del one[key]
        kept.append(one)
    page["/Annots"] = kept


# Office files

# Parts that go as a whole, with everything that points at them.
GONE = re.compile(
    r"docProps/(custom\.xml|thumbnail\.\w+)$"
    r"|(word|xl|ppt)/(comments[^/]*\.xml|people\.xml|commentAuthors\.xml|authors\.xml)$"
    r"|(xl|ppt)/(comments|threadedComments|persons|revisions)/"
    r"|(xl|word)/printerSettings/|customXml/|Thumbnails/"
    r"|xl/drawings/vmlDrawing[^/]*$"  # the frames of remarks
)
EMPTY = {
    "docProps/core.xml": b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cp:coreProperties xmlns:cp="http://schemas.'
    b'openxmlformats.org/package/2006/metadata/core-properties"/>',
    "docProps/app.xml": b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Properties xmlns="http://schemas.'
    b'openxmlformats.org/officeDocument/2006/extended-properties"/>',
    "meta.xml": b'<?xml version="1.0" encoding="UTF-8"?>\n<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:'
    b'xmlns:office:1.0" office:version="1.2"><office:meta/></office:document-meta>',
}
# Elements that go with all that is in them, and elements of which only what is in them stays (changes, as if accepted).
DROPPED = re.compile(
    r"comment(RangeStart|RangeEnd|Reference)|annotationRef|del|move(From|To)Range(Start|End)|moveFrom|numberingChange"
    r"|(rPr|pPr|sectPr|tblPr|tblPrEx|tcPr|trPr|tblGrid)Change|cell(Ins|Del|Merge)|customXml(Ins|Del)Range(Start|End)"
    r"|rsids?|rsidRoot|attachedTemplate|legacyDrawing(HF)?|absPath|fileSharing|modifiedVerifier|docVars|docId|revisionPtr"
    r"|creationId|modId"
)
DROPPED_OF_ODF = re.compile(r"annotation(-end)?|tracked-changes|change(-start|-end)?|creator|date")
UNWRAPPED = re.compile(r"ins|moveTo")
TELLING_ATTRIBUTE = re.compile(
    r"author|initials|userId|providerId|userName|dateUtc|paraId|textId|uid|documentId|rsid.*|.*-rsid", re.IGNORECASE
)
SETTINGS_OF_ODF = ("Printer", "UserPath", "LinkUpdate", "CurrentDatabase", "ModifyPassword", "RedlineProtectionKey", "Rsid")


def _local(name: Any) -> str:
    return etree.QName(name).localname if isinstance(name, str) else ""


def office(data: bytes) -> bytes:
    """A packed office file, each part by itself, times of the archive included."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as copy:
        names = [name for name in given.namelist() if not name.endswith("/")]
        if any(re.search(r"/(embeddings|activeX)/.*\.bin$", name) for name in names):
            raise HoldsOthers
        gone = {name for name in names if GONE.match(name)}
        gone |= {_rels_of(name) for name in gone}
        for name in names:
            if name in gone:
                continue
            part = EMPTY.get(name) or _part(name, given.read(name), gone)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            copy.writestr(entry, part)
    return made.getvalue()


def _rels_of(name: str) -> str:
    folder, file = posixpath.split(name)
    return posixpath.join(folder, "_rels", f"{file}.rels")


def _part(name: str, data: bytes, gone: set[str]) -> bytes:
    if re.search(r"\.jpe?g$", name, re.IGNORECASE):
        return jpeg_without_segments(data)
    if re.search(r"\.(png|webp)$", name, re.IGNORECASE):
        return _picture_inside(data)
    if name.endswith((".docx", ".xlsx", ".pptx", ".odt", ".ods")):
        return office(data)
    if not name.endswith((".xml", ".rels")):
        return data
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root = etree.fromstring(data, parser)
    if name.endswith(".rels"):
        _drop_children(root, lambda one: _target(name, one) in gone or "attachedTemplate" in one.get("Type", ""))
    elif name == "[Content_Types].xml":
        _drop_children(root, lambda one: one.get("PartName", "").lstrip("/") in gone)
    elif name == "META-INF/manifest.xml":
        path = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}full-path"
        _drop_children(root, lambda one: bool(GONE.match(one.get(path, ""))))
    else:
        _bare(root, is_odf="/" not in name)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _picture_inside(data: bytes) -> bytes:
    form = "PNG" if data.startswith(b"\x89PNG") else "WEBP"
    try:
        return picture(data, form)
    except Exception:  # a picture that no program shows tells nothing either
        return data


def _target(rels: str, one: Any) -> str:
    """The part that a relationship points at."""
    target = str(one.get("Target", ""))
    if one.get("TargetMode") == "External":
        return ""
    folder = posixpath.dirname(posixpath.dirname(rels))
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _drop_children(root: Any, condition: Callable[[Any], bool]) -> None:
    for one in [child for child in root if isinstance(child.tag, str) and condition(child)]:
        root.remove(one)


def _bare(root: Any, *, is_odf: bool) -> None:
    dropped = DROPPED_OF_ODF if is_odf else DROPPED
    for one in list(_elements(root)):
        for key in [key for key in one.attrib if TELLING_ATTRIBUTE.fullmatch(_local(key))]:
            del one.attrib[key]
        name = _local(one.tag)
        if one is root:
            continue
        if dropped.fullmatch(name) or (name == "config-item" and any(part in str(one.attrib) for part in SETTINGS_OF_ODF)):
            _remove(one)
        elif UNWRAPPED.fullmatch(name) and not is_odf:
            _unwrap(one)


def _elements(root: Any) -> Iterator[Any]:
    return (one for one in root.iter() if isinstance(one.tag, str))


def _remove(one: Any) -> None:
    """Take an element out; what follows it in the text stays."""
    parent = one.getparent()
    if parent is None:
        return
    if one.tail:
        before = one.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + one.tail
        else:
            parent.text = (parent.text or "") + one.tail
    parent.remove(one)


def _unwrap(one: Any) -> None:
    parent = one.getparent()
    at = parent.index(one)
    for child in reversed(list(one)):
        parent.insert(at, child)
    _remove(one)


def without_traces(kind: str, data: bytes) -> bytes:
    """The copy of a file of a kind (`FileKind`) that others than the staff get. Raises Unreadable."""
    try:
        if kind in PICTURES:
            return picture(data, PICTURES[kind])
        return pdf(data) if kind == "pdf" else office(data)
    except (Unreadable, HoldsOthers):
        raise
    except Exception as problem:
        raise Unreadable from problem


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        copied = without_traces(sys.argv[1], sys.stdin.buffer.read())
    except HoldsOthers:
        sys.exit(HOLDS_OTHERS)
    except (Unreadable, MemoryError):
        sys.exit(UNREADABLE)
    sys.stdout.buffer.write(copied)
