"""Rows of the advisor: who asks, what was asked, what was computed, and who may see it."""

from advisor.models.access import ApiKey, LoginLink, Scope, Share
from advisor.models.assessments import Assessment
from advisor.models.calibrations import Calibration, CalibrationChoice
from advisor.models.decisions import Amendment, AmendmentKind, DecisionRecord, DecisionsAreKept
from advisor.models.jobs import FINAL_STATES, Job, Kind, State
from advisor.models.organisations import Membership, Organisation, Owned, OwnedRows, Role
from advisor.models.upkeep import Beat, Preparation

__all__ = [
    "FINAL_STATES",
    "Amendment",
    "AmendmentKind",
    "ApiKey",
    "Assessment",
    "Beat",
    "Calibration",
    "CalibrationChoice",
    "DecisionRecord",
    "DecisionsAreKept",
    "Job",
    "Kind",
    "LoginLink",
    "Membership",
    "Organisation",
    "Owned",
    "OwnedRows",
    "Preparation",
    "Role",
    "Scope",
    "Share",
    "State",
]
