"""Everything the foundation itself contributes, in one list."""

from foundation import features
from foundation.contracts import incident_actions
from foundation.contracts.personal_data import FieldClass, PersonalDataSource, personal_data

# Their registries are there before the start freezes all, though nobody contributes yet.
__all__ = ["features", "incident_actions"]

personal_data.register(
    PersonalDataSource(
        label="foundation.installation",
        model="foundation.Installation",
        fields={
            "id": FieldClass.NONE,
            "kind": FieldClass.NONE,
            "clock_offset_seconds": FieldClass.NONE,
            "is_only": FieldClass.NONE,
        },
        basis="about nobody",
        retention="as long as the installation lives",
        reasons={"kind": "what the database is for: production, demo or test"},
    )
)
