"""What a file of evidence tells of its sender goes to nobody but the staff (rule 11)."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from typing import Any

import docx
import pikepdf
import pypdf
import pytest
import python_calamine
import xlsxwriter
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from consult_app import storage
from consult_app.comments import evidence, without_traces
from consult_app.comments.models import Attachment, FileKind
from consult_app.comments.without_traces import HoldsOthers, Unreadable
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.comments.files import zipped
from tests.comments.test_evidence import FORM, address, url

WHO, WHERE = "Zulkifli Uniknama", "Kantor Rahasia"
TRACES = [WHO, WHERE, "zulkifli", "NIKON", "00A1B2C3", "Deleted before", "A remark of", "2019"]


def with_exif() -> Any:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x013B], exif[0x0112] = "NIKON", "D850 of zulkifli", WHO, 6
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "S", tuple(TiffImagePlugin.IFDRational(n) for n in (6, 10, 30))
    return exif


def jpeg() -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (40, 30), "navy")
    picture.save(out, "JPEG", exif=with_exif(), comment=WHO.encode(), quality=95)
    return out.getvalue()


def png() -> bytes:
    out = io.BytesIO()
    info = PngInfo()
    info.add_text("Author", WHO)
    info.add_itxt("XML:com.adobe.xmp", f"<x>{WHERE}</x>")
    Image.new("RGBA", (40, 30), (1, 2, 3, 128)).save(out, "PNG", pnginfo=info, exif=with_exif())
    return out.getvalue()


def webp() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "WEBP", exif=with_exif(), xmp=WHO.encode())
    return out.getvalue()


def pdf() -> bytes:
    first, out = io.BytesIO(), io.BytesIO()
    with pikepdf.new() as made:
        page = made.add_blank_page()
        made.docinfo["/Author"] = WHO
        with made.open_metadata() as xmp:
            xmp["dc:creator"] = [WHO]
        page.obj["/PieceInfo"] = pikepdf.Dictionary({"/Adobe": pikepdf.Dictionary({"/Private": pikepdf.String(WHERE)})})
        image = pikepdf.Stream(made, jpeg())
        image["/Type"], image["/Subtype"], image["/Filter"] = pikepdf.Name.XObject, pikepdf.Name.Image, pikepdf.Name.DCTDecode
        image["/Width"], image["/Height"], image["/ColorSpace"], image["/BitsPerComponent"] = 40, 30, pikepdf.Name.DeviceRGB, 8
        page.obj["/Resources"] = pikepdf.Dictionary({"/XObject": pikepdf.Dictionary({"/Im0": image})})
        page.obj["/Contents"] = pikepdf.Stream(made, b"BT /F1 12 Tf (Seen by all) Tj ET q 40 0 0 30 0 0 cm /Im0 Do Q")
        remark = pikepdf.Dictionary(
            {"/Type": pikepdf.Name.Annot, "/Subtype": pikepdf.Name.Text, "/Rect": [0, 0, 9, 9], "/Contents": f"A remark of {WHO}"}
        )
        mark = pikepdf.Dictionary(
            {"/Type": pikepdf.Name.Annot, "/Subtype": pikepdf.Name.Square, "/Rect": [0, 0, 9, 9], "/T": WHO, "/M": "D:20190101"}
        )
        page.obj["/Annots"] = pikepdf.Array([made.make_indirect(remark), made.make_indirect(mark)])
        made.save(first)
    writer = pypdf.PdfWriter(io.BytesIO(first.getvalue()), incremental=True)  # an earlier revision stays in front
    writer.add_metadata({"/Title": f"Second revision by {WHO}"})
    writer.write(out)
    return out.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.core_properties.author = document.core_properties.last_modified_by = WHO
    document.core_properties.created = dt.datetime(2019, 1, 1)  # noqa: DTZ001
    paragraph = document.add_paragraph("Seen by all")
    document.add_comment(paragraph.runs, text=f"A remark of {WHO}", author=WHO, initials="ZU")
    document.add_picture(io.BytesIO(jpeg()))
    out = io.BytesIO()
    document.save(out)
    parts = {}
    with zipfile.ZipFile(io.BytesIO(out.getvalue())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    changed = (
        f'<w:p w:rsidR="00A1B2C3"><w:ins w:id="7" w:author="{WHO}" w:date="2019-01-01T00:00:00Z"><w:r><w:t>Also seen</w:t></w:r></w:ins>'
        f'<w:del w:id="8" w:author="{WHO}" w:date="2019-01-01T00:00:00Z"><w:r><w:delText>Deleted before</w:delText></w:r></w:del>'
        "<w:r><w:t> to the end</w:t></w:r></w:p><w:sectPr"
    ).encode()
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"<w:sectPr", changed, 1)
    return zipped(parts)


def sheet() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"author": WHO, "company": WHERE, "manager": WHO, "created": dt.datetime(2019, 1, 1)})  # noqa: DTZ001
    book.set_custom_property("Owner", WHO)
    page = book.add_worksheet("Data")
    page.write_string("A1", "Seen by all")
    page.write_comment("A1", f"A remark of {WHO}", {"author": WHO})
    book.close()
    return out.getvalue()


def open_document(kind: str = "odt") -> bytes:
    office, dc = "urn:oasis:names:tc:opendocument:xmlns:office:1.0", "http://purl.org/dc/elements/1.1/"
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:text="{text}" xmlns:dc="{dc}"><office:body><office:text>'
        f"<text:tracked-changes><text:changed-region><text:deletion><office:change-info><dc:creator>{WHO}</dc:creator></office:change-info>"
        "<text:p>Deleted before</text:p></text:deletion></text:changed-region></text:tracked-changes>"
        f"<text:p>Seen<office:annotation><dc:creator>{WHO}</dc:creator><dc:date>2019-01-01</dc:date><text:p>A remark of {WHO}</text:p>"
        "</office:annotation> by all</text:p></office:text></office:body></office:document-content>"
    )
    office_meta = f'xmlns:office="{office}" xmlns:dc="{dc}"'
    meta = f"<office:document-meta {office_meta}><office:meta><dc:creator>{WHO}</dc:creator></office:meta></office:document-meta>"
    parts = {
        "mimetype": b"application/vnd.oasis.opendocument." + (b"text" if kind == "odt" else b"spreadsheet"),
        "content.xml": content.encode(),
        "meta.xml": meta.encode(),
        "Thumbnails/thumbnail.png": png(),
        "META-INF/manifest.xml": b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        b'<manifest:file-entry manifest:full-path="Thumbnails/thumbnail.png"/></manifest:manifest>',
    }
    return zipped(parts)


MADE = {
    "jpeg": jpeg,
    "png": png,
    "webp": webp,
    "pdf": pdf,
    "docx": word,
    "xlsx": sheet,
    "odt": open_document,
    "ods": lambda: open_document("ods"),
}


def all_of(data: bytes) -> str:
    """Everything a file holds, unpacked, as text."""
    found = [data]
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            found = [
                part for info in archive.infolist() for part in (archive.read(info), info.filename.encode(), repr(info.date_time).encode())
            ]
    if data.startswith(b"%PDF"):
        with pikepdf.open(io.BytesIO(data)) as opened:
            found += [one.unparse(resolved=True) for one in opened.objects]
            found += [one.read_raw_bytes() for one in opened.objects if isinstance(one, pikepdf.Stream)]
    return "\n".join(part.decode("latin-1") for part in found)


@pytest.mark.parametrize("kind", MADE)
def test_rule_11_the_copy_for_others_holds_no_trace_of_who_sent_it(app: Any, kind: str) -> None:
    given = MADE[kind]()
    assert WHO in all_of(given)
    copy = evidence.copy_without_traces(FileKind(kind), "x", given)
    said = all_of(copy)
    assert [trace for trace in TRACES if re.search(re.escape(trace), said, re.IGNORECASE)] == []
    assert evidence.look("x", copy) is FileKind(kind)


def test_a_picture_stays_the_picture_and_stands_upright() -> None:
    given = Image.open(io.BytesIO(jpeg()))
    copy = Image.open(io.BytesIO(without_traces.without_traces("jpeg", jpeg())))
    assert copy.size == (given.height, given.width)  # its camera was turned
    assert not copy.getexif()
    see_through = Image.open(io.BytesIO(without_traces.without_traces("png", png())))
    assert (see_through.mode, see_through.getpixel((5, 5))) == ("RGBA", (1, 2, 3, 128))


def test_a_moving_picture_keeps_its_frames() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert getattr(Image.open(io.BytesIO(without_traces.without_traces("webp", out.getvalue()))), "n_frames", 1) == 3


def test_an_office_file_keeps_its_words_and_opens() -> None:
    document = docx.Document(io.BytesIO(without_traces.without_traces("docx", word())))
    assert [p.text for p in document.paragraphs if p.text] == ["Seen by all", "Also seen to the end"]
    assert len(document.inline_shapes) == 1
    book = python_calamine.load_workbook(io.BytesIO(without_traces.without_traces("xlsx", sheet())))
    assert book.get_sheet_by_name("Data").to_python() == [["Seen by all"]]
    with zipfile.ZipFile(io.BytesIO(without_traces.without_traces("odt", open_document()))) as archive:
        assert b"Seen by all" in archive.read("content.xml").replace(b"\n", b"")
        assert archive.infolist()[0].filename == "mimetype"
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED


def test_a_pdf_keeps_its_pages_and_pictures() -> None:
    with pikepdf.open(io.BytesIO(without_traces.without_traces("pdf", pdf()))) as copy:
        page = copy.pages[0]
        assert b"Seen by all" in page.Contents.read_bytes()
        assert Image.open(io.BytesIO(page.Resources.XObject.Im0.read_raw_bytes())).size == (40, 30)
        assert [str(one.Subtype) for one in page.obj["/Annots"]] == ["/Square"]  # what is drawn stays, a remark goes


def test_what_cannot_be_read_or_holds_other_files_is_refused_in_words(app: Any) -> None:
    with pytest.raises(Unreadable):
        without_traces.without_traces("pdf", b"%PDF-1.7 nothing %%EOF")
    with pytest.raises(Unreadable):
        without_traces.without_traces("docx", zipped({"[Content_Types].xml": b"<Types>", "word/document.xml": b"<w"}))
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.attachments["a.txt"] = b"x"
        made.save(out)
    with pytest.raises(HoldsOthers):
        without_traces.without_traces("pdf", out.getvalue())
    with pytest.raises(evidence.Invalid, match="has other files inside"):
        evidence.copy_without_traces(FileKind.PDF, "x.pdf", out.getvalue())


def test_an_entity_of_xml_is_not_followed() -> None:
    part = b'<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/passwd">]><w>&e;</w>'
    given = zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": part})
    assert "root:" not in all_of(without_traces.without_traces("docx", given))


@pytest.fixture
def file(consultation: Consultation, author: Any, browse: Any) -> Attachment:
    given = (io.BytesIO(jpeg()), f"{WHO}.jpg")
    assert browse(author).post(url(consultation), data={**FORM, "files": [given]}).status_code == 303
    return db.session.scalars(db.select(Attachment)).one()


def test_staff_and_sender_get_the_file_as_received_others_the_copy(
    file: Attachment, consultation: Consultation, author: Any, browse: Any
) -> None:
    for reader in (author, factories.make_user(Role.RAPPORTEUR, consultation), factories.make_user(Role.FOCAL_POINT, consultation)):
        assert browse(reader).get(address(file)).data == jpeg()
    for reader in (factories.make_registration(author.event), factories.make_user(Role.OBSERVER, consultation)):
        answer = browse(reader).get(address(file))
        assert answer.status_code == 200
        assert WHO not in answer.data.decode("latin-1")
        assert Image.open(io.BytesIO(answer.data)).size == (30, 40)


def test_a_file_received_before_copies_were_made_is_copied_when_it_is_asked_for(
    file: Attachment, author: Any, browse: Any, monkeypatch: Any
) -> None:
    storage.store().delete(evidence.key_of_copy(file.key))
    other = browse(factories.make_registration(author.event))
    assert WHO not in other.get(address(file)).data.decode("latin-1")
    monkeypatch.setattr(evidence, "copy_without_traces", None)  # from now on it is there
    assert other.get(address(file)).status_code == 200
