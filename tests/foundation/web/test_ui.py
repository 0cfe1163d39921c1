import pytest
from django.template import Context, Template, TemplateSyntaxError, engines
from django.template.backends.django import DjangoTemplates

from foundation.web import qr


def render(text: str, **context: object) -> str:
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)
    return str(Template("{% load ui %}" + text, engine=engine.engine).render(Context(context)))


def test_a_component_shows_arguments_body_and_slots() -> None:
    shown = render(
        '{% component "panel" title="Keys" %}Body{% slot actions %}<b>Act</b>{% endslot %}'
        "{% endcomponent %}"
    )

    assert "<h2>Keys</h2>" in shown
    assert '<div class="panel-body">Body</div>' in shown
    assert '<div class="actions"><b>Act</b></div>' in shown


def test_a_component_sees_nothing_else_of_the_page() -> None:
    shown = render('{% component "panel" %}x{% endcomponent %}', title="From the page")

    assert "From the page" not in shown


def test_what_a_component_shows_is_escaped() -> None:
    shown = render('{% component "panel" title=name %}{{ name }}{% endcomponent %}', name="<b>&")

    assert "<b>" not in shown
    assert shown.count("&lt;b&gt;&amp;") == 2


def test_arguments_for_attributes_are_passed_through_escaped() -> None:
    shown = render(
        '{% component "button" hx_get=url data_id="7" aria_expanded="false" %}Go{% endcomponent %}',
        url='/a?b="c"',
    )

    assert 'hx-get="/a?b=&quot;c&quot;"' in shown
    assert 'data-id="7"' in shown
    assert 'aria-expanded="false"' in shown


def test_a_slot_inside_another_tag_is_refused_instead_of_lost() -> None:
    with pytest.raises(TemplateSyntaxError, match="direct child"):
        render(
            '{% component "panel" %}{% if x %}{% slot actions %}a{% endslot %}{% endif %}'
            "{% endcomponent %}"
        )


def test_a_component_inside_a_slot_of_another_is_drawn() -> None:
    shown = render(
        '{% component "panel" %}{% slot actions %}{% component "badge" text="On" %}'
        "{% endcomponent %}{% endslot %}{% endcomponent %}"
    )

    assert '<span class="badge is-neutral">On</span>' in shown


@pytest.mark.parametrize("call", ['"panel" bare', "panel"])
def test_a_component_call_of_another_form_is_refused(call: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        render("{% component " + call + " %}{% endcomponent %}")


def test_an_icon_is_decorative_or_named() -> None:
    assert 'aria-hidden="true"' in render('{% icon "lock" %}')
    assert 'role="img" aria-label="A &amp; B"' in render('{% icon "lock" label %}', label="A & B")
    assert "icons.svg#lock" in render('{% icon "lock" %}')


def test_an_unknown_icon_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="no such icon"):
        render('{% icon "unicorn" %}')


def test_a_qr_code_draws_exactly_the_modules_of_the_code() -> None:
    text = "otpauth://totp/Gatehouse:alice?secret=JBSWY3DPEHPK3PXP"

    matrix = qr._matrix(text)
    drawn = {
        (int(x) + step, int(y))
        for x, y, length in _runs(qr._path(matrix))
        for step in range(int(length))
    }

    assert drawn == {(x, y) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark}


def test_a_qr_code_needs_no_style_and_names_itself() -> None:
    shown = qr.svg("x", label="<Code>")

    assert "style=" not in shown
    assert 'aria-label="&lt;Code&gt;"' in shown


def _runs(path: str) -> list[tuple[str, str, str]]:
    parts = (part.removeprefix("M").split("h") for part in path.split("z") if part)
    return [(*start.split(" "), length.split("v")[0]) for start, length, *_ in parts]  # type: ignore[misc]  # three parts by construction
