"""Tags for pages: ``component`` with ``slot``, ``icon``, ``repeat`` and ``qr``.

A component template gets its arguments, ``body``, ``slots.<name>``, ``attrs`` (arguments that start
with ``hx_``, ``data_`` or ``aria_``, as HTML) and the CSRF token; nothing else of the page.
"""

from django import template
from django.forms.utils import flatatt
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from foundation.web import qr as qr_codes
from foundation.web.icons import NAMES

register = template.Library()

_PASSED_THROUGH = ("hx_", "data_", "aria_")


class SlotNode(template.Node):
    """A named part of a component; rendered by the component it stands in."""

    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        """Render the content of the slot."""
        return self.nodelist.render(context)


class ComponentNode(template.Node):
    """One use of ``templates/components/<name>.html``."""

    child_nodelists = ("body", "filled")

    def __init__(self, name: str, arguments: dict[str, FilterExpression], inner: NodeList) -> None:
        self.name = name
        self.arguments = arguments
        self.filled = NodeList(node for node in inner if isinstance(node, SlotNode))
        self.body = NodeList(node for node in inner if not isinstance(node, SlotNode))

    def render(self, context: Context) -> SafeString:
        """Render the component's template with its arguments alone."""
        values = {name: value.resolve(context) for name, value in self.arguments.items()}
        passed = {
            name.replace("_", "-"): values.pop(name)
            for name in tuple(values)
            if name.startswith(_PASSED_THROUGH)
        }
        values["attrs"] = flatatt(passed)
        values["body"] = mark_safe(self.body.render(context).strip())  # noqa: S308  # rendered, escaped
        values["slots"] = {name: node.render(context) for name, node in self._slots().items()}
        values["csrf_token"] = context.get("csrf_token")
        engine = context.template.engine  # type: ignore[union-attr]  # bound while rendering
        chosen = engine.get_template(f"components/{self.name}.html")
        return chosen.render(context.new(values))

    def _slots(self) -> dict[str, SlotNode]:
        return {node.name: node for node in self.filled if isinstance(node, SlotNode)}


@register.tag
def component(parser: Parser, token: Token) -> ComponentNode:
    """Parse ``{% component "panel" title=_("Endpoints") %}…{% endcomponent %}``."""
    _, quoted, *bits = token.split_contents()
    arguments = token_kwargs(bits, parser)
    if bits or quoted[0] not in "\"'" or quoted[0] != quoted[-1]:
        raise template.TemplateSyntaxError(f"component takes a quoted name and key=value: {quoted}")
    inner = parser.parse(("endcomponent",))
    parser.delete_first_token()
    return ComponentNode(quoted[1:-1], arguments, inner)


@register.tag
def slot(parser: Parser, token: Token) -> SlotNode:
    """Parse ``{% slot actions %}…{% endslot %}``, a direct child of a component."""
    _, name = token.split_contents()
    *outer, _own = parser.command_stack
    if not outer or outer[-1][0] != "component":
        raise template.TemplateSyntaxError(
            f"slot {name} must be a direct child of its component: put other tags inside the slot"
        )
    nodelist = parser.parse(("endslot",))
    parser.delete_first_token()
    return SlotNode(name, nodelist)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon of the sprite: decorative, or named by ``label``."""
    if name not in NAMES:
        raise template.TemplateSyntaxError(f"no such icon: {name} (foundation/web/icons.py)")
    meaning = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    return format_html(
        '<svg class="icon" {} focusable="false"><use href="{}#{}"></use></svg>',
        mark_safe(meaning),  # noqa: S308  # built by format_html or a constant
        static("web/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def repeat(context: Context, block: str) -> SafeString | str:
    """Render a block of the page once more, so that ``<title>`` and ``<h1>`` have one source."""
    blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
    node = blocks.get_block(block) if blocks else None
    return node.render(context) if node else ""


@register.simple_tag
def qr(text: str, label: str) -> SafeString:
    """Draw a QR code as inline SVG, coloured by the style sheet."""
    return qr_codes.svg(text, label=label)
